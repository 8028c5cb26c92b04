package plan

import (
	"fmt"
	"strings"
	"testing"
)

func TestAHyperparameterThatTheKernelRefusesIsNamed(t *testing.T) {
	big := strings.Repeat("x", maxWord)
	twoLong := `{"a":"` + strings.Repeat("y", 3000) + `","b":"` + strings.Repeat("z", 3000) + `x"}`
	for _, c := range []struct {
		what, hp string
		argMax   int
		want     string
	}{
		{
			"the longest word",
			`{"v":"` + big[:maxWord-len("SM_HP_V=")] + `","sagemaker_x":"1"}`, 0,
			`hyperparameter "v": it makes the variable SM_HPS 131078 bytes long`,
		},
		{
			"too long a word",
			`{"a":"1","v":"` + big + `x"}`, 0,
			`hyperparameters.json:1:14: hyperparameter "v": ` +
				"its flag is 131072 bytes long, the kernel takes at most 131071",
		},
		{"too long together", twoLong, 10000, `hyperparameter "b": arguments and environment have `},
		{
			"NUL",
			`{"v":"a\u0000b"}`, 0,
			`hyperparameters.json:1:6: hyperparameter "v": ` +
				"its flag would hold a NUL character, which no program can be given",
		},
		{
			"NUL in a variable that no single hyperparameter makes",
			`{"sagemaker_job_name":"a\u0000b"}`, 0,
			`hyperparameters.json:1:23: hyperparameter "sagemaker_job_name": ` +
				`the variable SAGEMAKER_JOB_NAME would hold a NUL character`,
		},
		{
			"surrogate",
			`{"v":"\"\\udc80\""}`, 0,
			`hyperparameter "v": its flag would hold half of a surrogate pair, which is no text`,
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			in := photographJob(t, c.hp, alone)
			in.Snapshot.ArgMax = c.argMax
			_, err := in.Plan(options("a"))
			if err == nil || !strings.Contains(err.Error(), c.want) || !isInvalid(err) {
				t.Errorf("got  %.300v\nwant %s", err, c.want)
			}
			if strings.Count(fmt.Sprint(err), "hyperparameters.json:") > 1 {
				t.Errorf("one hyperparameter, more than one line: %.300v", err)
			}
		})
	}
}

func TestAsManyBytesAsTheKernelTakesArePassed(t *testing.T) {
	in := photographJob(t, `{"a":"xx","b":"yy"}`, alone, "E=1")
	plan, err := in.Plan(options("a"))
	if err != nil {
		t.Fatal(err)
	}
	total := len("a") + 1 // the kernel counts the path, every word with its NUL, and a pointer to each word
	for _, word := range append(plan.Command.Argv, plan.Command.Env...) {
		total += len(word) + 1 + 8
	}
	in.Snapshot.ArgMax = total
	if _, err := in.Plan(options("a")); err != nil {
		t.Errorf("%d bytes, as many as the kernel takes: %v", total, err)
	}
	in.Snapshot.ArgMax--
	if _, err := in.Plan(options("a")); err == nil || !strings.Contains(err.Error(), `hyperparameter "a"`) {
		t.Errorf("one byte too many, the first of two equal hyperparameters is named: %v", err)
	}
	long := photographJob(t, `{"v":"`+strings.Repeat("x", 40000)+`"}`, alone)
	if _, err := long.Plan(options("a")); err != nil {
		t.Errorf("a value of 40,000 bytes can be passed: %v", err)
	}
}

func TestAnExpandedWordMustNotBeTooLong(t *testing.T) {
	hp := `{"data":"` + strings.Repeat("x", 70000) + `","a":"1"}`
	in := photographJob(t, hp, alone, `ENTRAIN_COMMAND=["a","b\u0000"]`)
	const tooLong = `hyperparameter "data": it makes word 2 of the command 140000 bytes long`
	for want, o := range map[string]Options{
		tooLong: options("true", "${SM_HP_DATA}${SM_HP_DATA}"),
		`word 2 of the command would hold a NUL character`: options(),
	} {
		if _, err := in.Plan(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %.300v\nwant %s", err, want)
		}
	}
}
