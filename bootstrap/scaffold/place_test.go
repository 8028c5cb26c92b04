package scaffold

import "testing"

func TestTheInnermostMountHoldsAPath(t *testing.T) {
	const mounts = `1 0 0:1 / / rw - overlay overlay rw
2 1 8:1 /home/me /w rw - ext4 /dev/sda1 rw
3 1 8:1 /home/me/x /w/in\040side rw master:1 - ext4 /dev/sda1 rw
4 1 0:2 / /proc rw - proc proc rw
5
`
	for path, want := range map[string]string{
		"/w":             "/w",
		"/w/job":         "/w",
		"/w/in side/job": "/w/in side",
		"/w/in":          "/w",
		"/www/job":       "",
		"/job":           "",
		"/":              "",
	} {
		if got := mountOf(mounts, path); got != want {
			t.Errorf("%s is in %q, expected %q", path, got, want)
		}
	}
}

func TestARelativePathIsGivenOnlyIfTheShellFindsTheTreeByIt(t *testing.T) {
	for _, c := range []struct {
		place Place
		want  string
		ok    bool
	}{
		{Place{Dir: "/home/me/job", Name: "job"}, "job", true},
		{Place{Dir: "/home/me/job", Name: "./x/../job/"}, "job", true},
		{Place{Dir: "/home/me", Name: "."}, ".", true},
		{Place{Dir: "/home/job", Name: "../job"}, "", false},
		{Place{Dir: "/home/me/job", Name: "/home/me/job"}, "", false},
		{Place{Dir: "/w/job", Name: "/w/job", Contained: true, Mount: "/w"}, "job", true},
		{Place{Dir: "/w", Name: "/w", Contained: true, Mount: "/w"}, ".", true},
		{Place{Dir: "/job", Name: "job", Contained: true}, "", false},
	} {
		if got, ok := c.place.Relative(); ok != c.ok || ok && got != c.want {
			t.Errorf("%+v: %q, %v", c.place, got, ok)
		}
	}
}
