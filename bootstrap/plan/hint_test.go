package plan

import "testing"

// A trainer that failed for lack of a channel's variable gets the job's channels as a hint.
func TestHintNamesTheChannelsOfTheJob(t *testing.T) {
	two := []string{`SM_CHANNELS=["my-data","train"]`, "SM_CHANNEL_TRAIN=/x", "SM_CHANNEL_MY-DATA=/y"}
	const channels, near = "the job's channels are my-data, train", "; did you mean train?"
	for _, c := range []struct {
		env         []string
		cause, want string
	}{
		{two, "KeyError: 'SM_CHANNEL_VALIDATION'", "SM_CHANNEL_VALIDATION is not set: " + channels},
		{two, `KeyError: "SM_CHANNEL_TRAINS"`, "SM_CHANNEL_TRAINS is not set: " + channels + near},
		{two, "run.sh: line 3: SM_CHANNEL_EVAL: unbound variable", "SM_CHANNEL_EVAL is not set: " + channels},
		{two, "expected SM_CHANNEL_EVAL.", "SM_CHANNEL_EVAL is not set: " + channels},
		{two, "open ${SM_CHANNEL_EVAL}/x", "SM_CHANNEL_EVAL is not set: " + channels},
		{two, "KeyError: 'SM_CHANNEL_TRAIN'", ""},
		{two, "join(SM_CHANNEL_TRAIN, SM_CHANNEL_EVAL)", "SM_CHANNEL_EVAL is not set: " + channels},
		{two, "SM_CHANNEL_MY-DATA is empty", ""},
		{two, "KeyError: 'SM_CHANNELS'", ""},
		{two, "KeyError: 'SM_CHANNEL_'", ""},
		{two, "ValueError: x", ""},
		{two, "", ""},
		{
			[]string{`SM_CHANNELS=["train"]`},
			"KeyError: 'SM_CHANNEL_TRIAN'",
			"SM_CHANNEL_TRIAN is not set: the job's only channel is train" + near,
		},
		{[]string{"SM_CHANNELS=[]"}, "'SM_CHANNEL_A'", "SM_CHANNEL_A is not set: the job has no channels"},
		{nil, "KeyError: 'SM_CHANNEL_A'", ""},
	} {
		if got := ChannelHint(c.env, c.cause); got != c.want {
			t.Errorf("%q: %q, want %q", c.cause, got, c.want)
		}
	}
}
