package hostwait

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errUnknown = errors.New("no such host")

// from is a probe of hosts that appear after a while.
func from(start time.Time, appear map[string]time.Duration) Probe {
	return func(_ context.Context, host string) error {
		if after, ok := appear[host]; ok && time.Since(start) >= after {
			return nil
		}
		return errUnknown
	}
}

func TestAllThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		hosts := []string{"a", "b", "c"}
		err := All(t.Context(), from(start, map[string]time.Duration{"a": 0, "b": 0, "c": 0}), hosts, Options{Timeout: time.Minute})
		if err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// TestLateHost: a host that comes after four minutes is noticed within 1.2 s, and the log has said who is missing.
func TestLateHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		const late = 4 * time.Minute
		var said []string
		err := All(t.Context(), from(start, map[string]time.Duration{"a": 0, "b": late}), []string{"a", "b"}, Options{
			Timeout:  15 * time.Minute,
			Progress: func(after time.Duration, missing []Missing) { said = append(said, fmt.Sprint(after, missing)) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if noticed := time.Since(start) - late; noticed > 1200*time.Millisecond {
			t.Errorf("noticed after %s", noticed)
		}
		want := []string{}
		for _, after := range []string{"1s", "2s", "5s", "10s", "30s", "1m0s", "1m30s", "2m0s", "2m30s", "3m0s", "3m30s", "4m0s"} {
			want = append(want, after+" [b (no such host)]")
		}
		if diff := cmp.Diff(want, said); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
	})
}

// TestPatience: the deadline is the user's, not the backoff package's quarter of an hour.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probe := from(time.Now(), map[string]time.Duration{"a": 40 * time.Minute})
		if err := All(t.Context(), probe, []string{"a"}, Options{Timeout: time.Hour}); err != nil {
			t.Error(err)
		}
	})
}

// TestHint: a quick answer is enough, however long the probe takes, and only the probe's errors are told.
func TestHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var said string
		err := All(t.Context(), func(ctx context.Context, _ string) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(30 * time.Second):
				return errors.New("the name server does not answer")
			}
		}, []string{"a"}, Options{
			Timeout: time.Hour, Hint: from(start, map[string]time.Duration{"a": 80 * time.Second}),
			Progress: func(_ time.Duration, missing []Missing) { said = fmt.Sprint(missing) },
		})
		if err != nil || time.Since(start) > 81200*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		if said != "[a (the name server does not answer)]" {
			t.Errorf("said %s", said)
		}
	})
}

// TestDeadline: one deadline for all, and each missing host is named with its last error.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		hanging := func(ctx context.Context, host string) error {
			if host == "slow" {
				<-ctx.Done()
				return ctx.Err()
			}
			return from(start, map[string]time.Duration{"a": 0})(ctx, host)
		}
		err := All(t.Context(), hanging, []string{"c", "a", "slow", "b"}, Options{Timeout: 20 * time.Minute})
		unavailable, ok := errors.AsType[*UnavailableError](err)
		if !ok {
			t.Fatal(err)
		}
		want := "3 of 4 hosts missing after 20m0s: c (no such host), slow (no answer yet), b (no such host)"
		if unavailable.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

// TestCancelled: the end of the context is the end of the wait, at once and with its cause.
func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		cause := errors.New("stopped by SIGTERM")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3500*time.Millisecond, func() { cancel(cause) })
		err := All(ctx, from(start, nil), []string{"a"}, Options{Timeout: time.Hour})
		if !errors.Is(err, cause) || time.Since(start) != 3500*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// TestAllAtOnce: no host waits for another one's answer.
func TestAllAtOnce(t *testing.T) {
	var hosts []string
	for i := range 64 {
		hosts = append(hosts, fmt.Sprintf("algo-%d", i+1))
	}
	var asked atomic.Int32
	everybody := make(chan struct{})
	probe := func(ctx context.Context, _ string) error {
		if asked.Add(1) == int32(len(hosts)) {
			close(everybody)
		}
		select {
		case <-everybody:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := All(t.Context(), probe, hosts, Options{Timeout: time.Minute}); err != nil {
		t.Errorf("%d of %d were asked: %.200s", asked.Load(), len(hosts), strings.TrimSpace(err.Error()))
	}
}
