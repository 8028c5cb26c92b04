package proc

import (
	"strings"
	"syscall"
	"testing"
)

// runTeam runs a team of shells, and returns how each has ended, by its place.
func runTeam(t *testing.T, act func(*Team), scripts ...string) []Exit {
	t.Helper()
	exits := make([]Exit, len(scripts))
	members := make([]*Member, len(scripts))
	for i, script := range scripts {
		members[i] = &Member{
			Cmd: Cmd{
				Argv: []string{"sh", "-c", script}, Env: []string{"PATH=/bin:/usr/bin"}, Dir: t.TempDir(),
			},
			Ended: func(exit Exit) { exits[i] = exit },
		}
	}
	team := NewTeam(members...)
	o := Options{Team: team, Ended: func(Exit) { act(team) }}
	exit, err := Run(t.Context(), caught(), Cmd{}, o)
	if err != nil || exit.Left != 0 {
		t.Errorf("%v, and %d processes are left", err, exit.Left)
	}
	return exits
}

func TestEachProgramOfATeamHasItsOwnEnd(t *testing.T) {
	exits := runTeam(t, func(team *Team) { team.Terminate(false) }, // nobody is left to get it
		"echo first >&2; exit 3", "kill -9 $$", "sleep 0.1; echo last >&2", "sleep 100 & exit 0")
	for i, want := range []Exit{
		{Code: 3, Stderr: []byte("first\n")},
		{Code: 137, Signal: syscall.SIGKILL},
		{Stderr: []byte("last\n")},
		{},
	} {
		got := exits[i]
		sameEnd := got.Code == want.Code && got.Signal == want.Signal && !got.Told
		if !sameEnd || string(got.Stderr) != string(want.Stderr) {
			t.Errorf("program %d: %+v, expected %+v", i, got, want)
		}
	}
}

func TestATeamOfWhichOneDoesNotStartEndsAtOnce(t *testing.T) {
	member := func(argv ...string) *Member {
		return &Member{
			Cmd:   Cmd{Argv: argv, Env: []string{"PATH=/bin:/usr/bin"}, Dir: "/"},
			Ended: func(exit Exit) { t.Errorf("an end is told: %+v", exit) },
		}
	}
	team := NewTeam(member("sleep", "100"), member("no-such-program"))
	_, err := Run(t.Context(), caught(), Cmd{}, Options{Team: team})
	if err == nil || !strings.Contains(err.Error(), "no-such-program") {
		t.Errorf("%v, expected the error of no-such-program", err)
	}
	if hasChildren() {
		t.Error("a process is left")
	}
}
