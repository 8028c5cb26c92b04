package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the test binary be its own relay. If a signal is ignored, as under nohup, Run starts programs
// by way of the relay, and a test binary that is no relay would run all tests again.
func TestMain(m *testing.M) {
	if err := Relay(os.Args, os.Environ()); err != nil {
		os.Exit(1)
	}
	if os.Getenv(guestHost) != "" {
		holdGuest()
	}
	goleak.VerifyTestMain(m)
}

func TestProgramIsFoundAsByExecvp(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{
		"a/prog": 0o755, "b/prog": 0o755, "a/data": 0o644, "b/late": 0o755, "a/late": 0o644,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	path := "PATH=" + dir + "/none:" + dir + "/a:" + dir + "/b"
	for _, c := range []struct {
		name, env, want string
		code            int
	}{
		{"prog", path, dir + "/a/prog", 0},
		{"late", path, dir + "/b/late", 0}, // a file that may not be executed is skipped
		{"data", path, "", 126},
		{"gone", path, "", 127},
		{"prog", "PATH=", "", 127},
		{"prog", "PATH=a", dir + "/a/prog", 0}, // relative to the trainer's directory
		{"./a/prog", path, "./a/prog", 0},
		{"./a/data", path, "./a/data", 126},
		{"./a", path, "./a", 126},
		{"./a/prog/x", path, "./a/prog/x", 127},
		{"sh", "NOPATH=", "/bin/sh", 0},
		{"", path, "", 127},
	} {
		got, err := lookPath(c.name, []string{c.env}, dir)
		code := 0
		if err != nil {
			code = err.Code
		}
		if got != c.want || code != c.code {
			t.Errorf("%q in %s: %q, %d (%v), want %q, %d", c.name, c.env, got, code, err, c.want, c.code)
		}
	}
}

// Scripts that name each other as interpreters are no loop of links.
func TestScriptsThatNameEachOtherAreNoLinks(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	err := errors.Join(os.WriteFile(a, []byte("#!"+b+"\n"), 0o755), os.WriteFile(b, []byte("#!"+a+"\n"), 0o755))
	if err != nil {
		t.Fatal(err)
	}
	got := startError(a, a, syscall.ELOOP)
	if got.Code != 126 || !strings.HasPrefix(got.Err.Error(), "its interpreter is a script") || got.Hint == "" {
		t.Errorf("%+v", got)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(link, link); err != nil {
		t.Fatal(err)
	}
	if got := startError(link, link, syscall.ELOOP); !errors.Is(got.Err, syscall.ELOOP) {
		t.Errorf("a loop of links: %+v", got)
	}
}

// What helps against a file that cannot be executed depends on what is in it.
func TestHintForAFileWithoutTheXBitFitsTheFile(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"a.py": {"#!/usr/bin/env python3\n", "; it can also be started by its interpreter: /usr/bin/env python3 "},
		"b.sh": {"#! /bin/bash -e\n", "; it can also be started by its interpreter: /bin/bash -e "},
		"c.sh": {"echo\n", "; a script can also be started by its interpreter, such as /bin/sh "},
		"d.py": {"print()\n", "; it can also be started by python3 "},
		"elf":  {"\x7fELF", ""},
		"crlf": {"#!/bin/sh\r\n", "; " + hintForReturn},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		want := "chmod +x it, in the Dockerfile if the image has it" + c.want
		if strings.HasSuffix(want, " ") {
			want += path
		}
		if _, err := lookPath(path, nil, dir); err == nil || err.Code != 126 || err.Hint != want {
			t.Errorf("%s: %+v, want the hint %q", name, err, want)
		}
	}
}

func TestSignalIsReadByNameAndNumber(t *testing.T) {
	for text, want := range map[string]syscall.Signal{"TERM": 15, "SIGTERM": 15, "usr1": 10, "9": 9} {
		if got, err := ParseSignal(text); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "64", "NOPE", "SIG"} {
		if got, err := ParseSignal(text); err == nil {
			t.Errorf("%q: %v and no error", text, got)
		}
	}
}

// The counter is found by the group's path or, in a container, at the mount. It is read each time anew.
func TestOOMCounterReadsBothVersions(t *testing.T) {
	const v2 = "low 0\noom 3\noom_kill %d\noom_group_kill 1\n"
	const v1 = "oom_kill_disable 0\nunder_oom 0\noom_kill %d\n"
	for _, c := range []struct{ what, groups, file, text string }{
		{"v2", "0::/docker/x\n", "docker/x/memory.events", v2},
		{"v2 in a container", "0::/hosts/path\n", "memory.events", v2},
		{"v1", "3:cpu:/x\n2:memory:/x\n", "memory/x/memory.oom_control", v1},
		{"v1 in a container", "2:cpu,memory:/hosts/path\n", "cpu,memory/memory.oom_control", v1},
		{"v1 beside an empty v2", "2:memory:/x\n0::/\n", "memory/x/memory.oom_control", v1},
		{"none", "0::/x\n", "x/memory.current", "%d\n"},
	} {
		t.Run(c.what, func(t *testing.T) {
			mount := t.TempDir()
			groups, path := filepath.Join(mount, "groups"), filepath.Join(mount, c.file)
			write := func(kills int) error { return os.WriteFile(path, fmt.Appendf(nil, c.text, kills), 0o600) }
			err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), write(2))
			if err = errors.Join(err, os.WriteFile(groups, []byte(c.groups), 0o600)); err != nil {
				t.Fatal(err)
			}
			counter := openOOMCounter(groups, mount)
			defer counter.close()
			if err := write(7); err != nil {
				t.Fatal(err)
			}
			before, since := 2, 5
			if c.what == "none" {
				before, since = 0, 0
			}
			if counter.before != before || counter.since() != since {
				t.Errorf("it counts %d, and then %d more; expected %d and %d",
					counter.before, counter.since(), before, since)
			}
		})
	}
}

func TestExitErrorSaysHowTheProgramEnded(t *testing.T) {
	slow := Exit{Code: 137, Signal: 9, Killed: true, Grace: 15 * time.Second}
	for want, exit := range map[string]Exit{
		"exit code 3":                    {Code: 3},
		"killed by SIGSEGV, core dumped": {Code: 139, Signal: 11, CoreDumped: true},
		"killed by SIGKILL: still running at the end of the grace":     {Code: 137, Signal: 9, Killed: true},
		"killed by SIGKILL: still running 15s after SIGTERM (--grace)": slow,
		"killed by SIGKILL, out of memory (the kernel killed":          {Code: 137, Signal: 9, OOMKills: 1},
	} {
		if got := (&ExitError{Program: "x", Exit: exit}).How(); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Only mappings of the program's own file are dropped to which nobody can write, and nobody has written.
func TestOnlyUnwrittenMappingsAreDropped(t *testing.T) {
	const smaps = `1000-2000 r-xp 00000000 00:01 7      /bin/x
Rss:                   4 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
2000-3000 r--p 00001000 00:01 7      /bin/x
Anonymous:             4 kB
3000-4000 rw-p 00002000 00:01 7      /bin/x
Anonymous:             0 kB
4000-5000 r--p 00000000 00:01 8      /lib/y
Anonymous:             0 kB
5000-6000 r--p 00003000 00:01 7      /bin/x
Anonymous:             0 kB
6000-7000 rw-p 00000000 00:00 0
Anonymous:             0 kB
`
	if got := unwritten(smaps, "/bin/x"); !slices.Equal(got, []string{"1000-2000", "5000-6000"}) {
		t.Errorf("it would drop %q", got)
	}
}

// A helper program ends within its bound, together with the processes that it has started, and the error
// says so.
func TestHelperProgramEndsWithinItsBound(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "slow")
	text := "#!/bin/sh\nsleep 600 &\necho $! >" + dir + "/pid\nwait\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Output(t.Context(), time.Second, script, "--version")
	if err == nil || err.Error() != "slow --version did not answer within 1 s" {
		t.Errorf("it says %v", err)
	}
	pid, _ := os.ReadFile(dir + "/pid")
	stdin := "/proc/" + strings.TrimSpace(string(pid)) + "/fd/0"
	if err := eventually(func() bool { _, err := os.Stat(stdin); return err != nil }); err != nil {
		t.Error("its child lives")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&SignalError{Signal: syscall.SIGTERM})
	if _, err := Output(ctx, time.Hour, script); !strings.Contains(err.Error(), "stopped by SIGTERM") {
		t.Errorf("of a stop it says %v", err)
	}
	if out, err := Output(t.Context(), time.Minute, "echo", "yes"); string(out) != "yes\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// A real-time signal that comes before the program runs is not kept for it.
func TestRealTimeSignalsAreDroppedUntilCaught(t *testing.T) {
	signal.Reset(lastRealTime) // Run has caught it in another test
	signals := Catch()
	t.Cleanup(func() {
		_ = signals.uncatch()
		_ = caught().pending() // the signals have come there too
	})
	send := func(sig syscall.Signal) {
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
	}
	next := func() (got []syscall.Signal) {
		for end := time.Now().Add(testTimeout); len(got) == 0 && time.Now().Before(end); {
			isChild := func(sig syscall.Signal) bool { return sig == syscall.SIGCHLD } // of another test
			got = slices.DeleteFunc(signals.next(end), isChild)
		}
		return got
	}
	send(lastRealTime)
	send(syscall.SIGUSR2)
	if got := next(); !slices.Equal(got, []syscall.Signal{syscall.SIGUSR2}) {
		t.Errorf("before it is caught there comes %v", got)
	}
	signals.catchRealTime()
	send(lastRealTime)
	if got := next(); !slices.Equal(got, []syscall.Signal{lastRealTime}) {
		t.Errorf("once it is caught there comes %v", got)
	}
}

// However many signals come, a SIGTERM is kept, and a SIGCONT is the last one.
func TestSIGTERMIsKeptAndSIGCONTComesLast(t *testing.T) {
	s := &Signals{
		terms: make(chan os.Signal, 1), children: make(chan os.Signal, 1), others: make(chan os.Signal, 4),
		woken: make(chan struct{}, 1),
	}
	for _, sig := range []syscall.Signal{
		syscall.SIGCONT, syscall.SIGTSTP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGUSR1,
		syscall.SIGTERM, syscall.SIGTERM,
	} {
		s.Raise(sig)
	}
	got := s.next(time.Time{})
	if len(got) != 5 || got[4] != syscall.SIGCONT || !slices.Contains(got, syscall.SIGTERM) {
		t.Errorf("the first time there comes %v", got)
	}
	s.wakeUp()
	if got := s.next(time.Time{}); got != nil {
		t.Errorf("after wakeUp there comes %v", got)
	}
	if got := s.next(time.Now().Add(time.Millisecond)); got != nil {
		t.Errorf("at the end there comes %v", got)
	}
}

// TestParentThatHasEndedIsNoticed: the kernel tells nobody of a parent that ended before it was asked to.
func TestParentThatHasEndedIsNoticed(t *testing.T) {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGWINCH)
	t.Cleanup(func() {
		signal.Stop(got)
		_ = caught().pending() // the signal has come there too
	})
	done := make(chan error, 1)
	// The thread of this goroutine has the request, and ends with it.
	go func() { done <- adopt(syscall.SIGWINCH, os.Getppid()+1) }()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	select {
	case <-got:
	case <-time.After(10 * time.Second):
		t.Error("no signal came")
	}
}
