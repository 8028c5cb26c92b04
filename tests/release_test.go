package tests

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A release is the same bytes wherever it is built, its packages install, its signature is valid, and the
// program for arm64 runs.
func TestRelease(t *testing.T) {
	t.Parallel()
	needProgram(t, "qemu-aarch64", "qemu-user")
	key := filepath.Join(t.TempDir(), "key")
	minisign(t, "-G", "-s", key, "-p", key+".pub")
	first, second := release(t, key), release(t, key)
	sums := read(t, first, "SHA256SUMS")
	if other := read(t, second, "SHA256SUMS"); sums == "" || sums != other {
		t.Errorf("two builds differ:\n%s\n%s", sums, other)
	}
	minisign(t, "-V", "-p", key+".pub", "-m", filepath.Join(first, "SHA256SUMS"))
	t.Run("packages", func(t *testing.T) { installPackages(t, first) })
	emulated := []string{"qemu-aarch64", filepath.Join(first, "entrain-linux-arm64")}
	if out := must(t, append(emulated, "version")...); !strings.Contains(out, "linux/arm64") {
		t.Errorf("the program for arm64 says %q", out)
	}
	must(t, append(emulated, "validate", "--root", tree(t))...)
}

// release makes a release in a new clone, and returns the directory that holds it.
func release(t *testing.T, key string) string {
	t.Helper()
	clone := filepath.Join(t.TempDir(), "clone")
	must(t, "git", "clone", "-q", ".", clone)
	cmd := exec.Command("scripts/release", "0.0.1", key)
	cmd.Dir, cmd.Stdin = clone, strings.NewReader(password)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(clone, "dist/release")
}

// password protects the key of the test. minisign asks twice for that of a new key.
const password = "a password\na password\n"

// minisign runs the tool that signs a release.
func minisign(t *testing.T, words ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"tool", "-modfile=scripts/release.mod", "minisign"}, words...)...)
	cmd.Dir, cmd.Stdin = top, strings.NewReader(password)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("minisign %v: %v\n%s", words, err, out)
	}
}

// installPackages installs the package of Debian in a container. No apk is there to install that of Alpine,
// so the test only looks for the program in it.
func installPackages(t *testing.T, dir string) {
	t.Helper()
	const deb, apk = "entrain-0.0.1-amd64.deb", "entrain-0.0.1-amd64.apk"
	must(t, "scripts/base-image", "bookworm", "debian:bookworm-slim")
	out := must(t, "docker", "run", "--rm", "-v", dir+":/release:ro", "debian:bookworm-slim",
		"sh", "-c", "dpkg -i /release/"+deb+" >/dev/null && entrain version && ls /usr/share/doc/entrain/")
	if !strings.Contains(out, "entrain 0.0.1 ") || !strings.Contains(out, "NOTICES.txt") {
		t.Errorf("after dpkg -i: %s", out)
	}
	if names := must(t, "tar", "tzf", filepath.Join(dir, apk)); !strings.Contains(names, "usr/bin/entrain\n") {
		t.Errorf("%s holds %s", apk, names)
	}
}
