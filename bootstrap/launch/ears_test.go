package launch

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestExceptionOfARankThatDoesNotEndIsTold: once, a minute after the last words, and not if the rank goes on
// or ends.
func TestExceptionOfARankThatDoesNotEndIsTold(t *testing.T) {
	const trace = "Traceback (most recent call last):\n  File \"x.py\", line 9\nValueError: no data\n"
	for what, c := range map[string]struct {
		pieces []string // one every 50 s
		ends   bool     // 50 s after the last piece
		want   []string
	}{
		"it hangs":        {[]string{"epoch 1\n", trace}, false, []string{"ValueError: no data"}},
		"it ends":         {[]string{trace}, true, nil},
		"it goes on":      {[]string{trace, "1\n2\n3\n4\n5\n6\n"}, false, nil},
		"it is silent":    {[]string{"epoch 1\n"}, false, nil},
		"it says nothing": {nil, false, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			var said []byte
			var told []string
			e := &ears{
				reads: func(int) {}, abort: func([]byte) {},
				raised: func(exception string) { told = append(told, exception) },
			}
			e.listen(func() []byte { return said }, 3)
			for _, piece := range c.pieces {
				said = append(said, piece...)
				e.heed([]byte(piece))
				time.Sleep(50 * time.Second)
			}
			if c.ends {
				e.close()
			}
			time.Sleep(time.Hour)
			e.close()
			if !slices.Equal(told, c.want) {
				t.Errorf("%s: told %q, want %q", what, told, c.want)
			}
		})
	}
}
