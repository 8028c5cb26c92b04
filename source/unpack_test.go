package source

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// roomy are limits that no test reaches by accident.
var roomy = Limits{Bytes: 1 << 30, Count: 1000, Ratio: 1000}

var then = time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)

// file is an entry for a regular file.
func file(name, content string, mode int64) entry {
	return entry{tar.Header{
		Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(content)), ModTime: then,
	}, content}
}

func link(name, to string, kind byte) entry {
	return entry{tar.Header{Name: name, Linkname: to, Typeflag: kind, Mode: 0o777, ModTime: then}, ""}
}

func dir(name string, mode int64) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: mode, ModTime: then}, ""}
}

type entry struct {
	header  tar.Header
	content string
}

func pack(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range entries {
		if err := w.WriteHeader(&e.header); err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// unpackBytes unpacks an archive into a new directory, and returns that directory and the one above it.
func unpackBytes(tb testing.TB, data []byte, limits Limits) (code, above string, err error) {
	tb.Helper()
	above = tb.TempDir()
	archive := filepath.Join(tb.TempDir(), "sourcedir.tar.gz")
	if err := os.WriteFile(archive, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	code = filepath.Join(above, "code")
	return code, above, Unpack(tb.Context(), archive, code, limits)
}

func TestArchiveIsUnpackedWithModesAndTimes(t *testing.T) {
	code, above, err := unpackBytes(t, pack(t,
		dir("./", 0o755), dir("pkg/", 0o555), file("pkg/a.py", "a = 1\n", 0o644), file("run.sh", "echo\n", 0o755),
		file("locked", "x", 0), link("alias", "pkg/a.py", tar.TypeSymlink), link("hard", "run.sh", tar.TypeLink),
		link("nowhere", "later", tar.TypeSymlink), file("deep/er/b", "b", 0o600),
		file("run.sh", "echo 2\n", 0o4755),
	), roomy)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"pkg/a.py": "a = 1\n", "run.sh": "echo 2\n", "alias": "a = 1\n", "hard": "echo\n", "deep/er/b": "b",
		"locked": "x",
	} {
		if got, err := os.ReadFile(filepath.Join(code, name)); string(got) != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]fs.FileMode{
		"pkg": fs.ModeDir | 0o755, "pkg/a.py": 0o644, "run.sh": 0o755, "locked": 0o400, "deep": fs.ModeDir | 0o755,
	} {
		info, err := os.Stat(filepath.Join(code, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, want)
		}
		if name != "deep" && !info.ModTime().Equal(then) {
			t.Errorf("%s: %v", name, info.ModTime())
		}
	}
	if names := namesIn(t, above); names != "code" {
		t.Errorf("beside the code there is %s", names)
	}
}

func namesIn(tb testing.TB, dir string) string {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// badArchives are archives that are refused, each with a part of the reason.
func badArchives(tb testing.TB) map[string][]byte {
	tb.Helper()
	whole := pack(tb, file("a.py", strings.Repeat("x = 1\n", 1000), 0o644))
	var plain bytes.Buffer
	_ = tar.NewWriter(&plain).Close()
	device := entry{tar.Header{Name: "null", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3}, ""}
	empty := func(name string) entry { return file(name, "", 0o644) }
	symlink := func(name, to string) entry { return link(name, to, tar.TypeSymlink) }
	lines := strings.Repeat("0123456789abcde\n", 400_000)
	const atMost = "is too much: expected at most"
	return map[string][]byte{
		`entry "/etc/x" leads out`:        pack(tb, empty("/etc/x")),
		`entry "a/../../x" leads out`:     pack(tb, empty("a/../../x")),
		`entry "null" is a device`:        pack(tb, device),
		`entry "p" is a device or a FIFO`: pack(tb, link("p", "", tar.TypeFifo)),
		`entry "l" is a link out`:         pack(tb, symlink("l", "../x")),
		`entry "abs" is a link out`:       pack(tb, symlink("abs", "/etc/passwd")),
		`entry "by" is a link out`:        pack(tb, symlink("d", "."), symlink("by", "d/d/..")),
		`entry "l/x" does not fit`:        pack(tb, symlink("l", "/tmp"), empty("l/x")),
		`entry "h" does not fit`:          pack(tb, link("h", "../../etc/passwd", tar.TypeLink)),
		`entry "f/x" does not fit`:        pack(tb, empty("f"), empty("f/x")),
		`entry "2" is one too many`:       pack(tb, empty("0"), empty("1"), empty("2")),
		`entry "big" ` + atMost:           pack(tb, file("big", lines, 0o644)),
		`entry "bomb" is too much: it`:    pack(tb, file("bomb", strings.Repeat("\x00", 3<<20), 0o644)),
		`it ends too early`:               whole[:len(whole)-20],
		`checksum`:                        append(bytes.Clone(whole[:len(whole)-8]), 1, 2, 3, 4, 5, 6, 7, 8),
		`it is not compressed by gzip`:    plain.Bytes(),
	}
}

func TestBadArchiveLeavesNothing(t *testing.T) {
	for reason, data := range badArchives(t) {
		limits := Limits{Bytes: 4 << 20, Count: 2, Ratio: 200}
		if strings.Contains(reason, "big") {
			limits.Ratio = 1 << 40
		}
		_, above, err := unpackBytes(t, data, limits)
		bad, ok := errors.AsType[*ArchiveError](err)
		if !ok || !strings.Contains(bad.Error(), reason) {
			t.Errorf("%s: %v", reason, err)
		}
		if left := namesIn(t, above); left != "" {
			t.Errorf("%s: it leaves %s", reason, left)
		}
	}
}

// A directory that cannot be replaced, such as the target of a mount, gets the entries. Here it is a link.
func TestDirectoryThatStaysIsFilled(t *testing.T) {
	above := t.TempDir()
	archive, code := filepath.Join(above, "x.tar.gz"), filepath.Join(above, "code")
	target := filepath.Join(above, "target")
	err := errors.Join(os.WriteFile(archive, pack(t, file("a/b", "b", 0o644)), 0o600), os.Mkdir(target, 0o755),
		os.Symlink(target, code), Unpack(t.Context(), archive, code, roomy))
	if err != nil {
		t.Fatal(err)
	}
	if names := namesIn(t, target); names != "a" {
		t.Errorf("there is %s", names)
	}
}

func TestStoppedUnpackingLeavesTheEmptyDirectory(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	above := t.TempDir()
	archive, code := filepath.Join(above, "x.tar.gz"), filepath.Join(above, "code")
	err := errors.Join(os.WriteFile(archive, pack(t, file("a", "b", 0o644)), 0o600), os.Mkdir(code, 0o750))
	if err != nil {
		t.Fatal(err)
	}
	if err := Unpack(ctx, archive, code, roomy); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	info, err := os.Stat(code)
	if names := namesIn(t, above); err != nil || info.Mode().Perm() != 0o750 || names != "code x.tar.gz" {
		t.Errorf("%v, %v, %s", info, err, names)
	}
}

// Whatever the bytes, the directory is whole or absent, and nothing is written elsewhere.
func FuzzUnpack(f *testing.F) {
	for _, data := range badArchives(f) {
		if len(data) < 1<<16 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := Limits{Bytes: 1 << 20, Count: 50, Ratio: 100}
		code, above, err := unpackBytes(t, data, limits)
		want := "code"
		if err != nil {
			want = ""
		}
		if names := namesIn(t, above); names != want {
			t.Fatalf("%v, and there is %q", err, names)
		}
		if err != nil {
			return
		}
		_ = filepath.WalkDir(code, func(path string, _ fs.DirEntry, err error) error {
			target, linkErr := filepath.EvalSymlinks(path)
			if err != nil || linkErr == nil && !strings.HasPrefix(target, code) {
				t.Fatalf("%s leads to %s, %v", path, target, err)
			}
			return nil
		})
	})
}
