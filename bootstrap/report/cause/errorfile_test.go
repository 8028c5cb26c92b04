package cause

import "testing"

func TestErrorFilesOfTorchAreRead(t *testing.T) {
	for text, want := range map[string]string{
		`{"message":{"message":"RuntimeError: x","extraInfo":{"timestamp":"1"}}}`: "RuntimeError: x",
		`{"message":"RuntimeError: y"}`:                                           "RuntimeError: y",
		`{"message":{"other":1}}`:                                                 "",
		`{"message":{"message":"cut`:                                              "",
		`[]`:                                                                      "",
		``:                                                                        "",
	} {
		if got := ErrorFile([]byte(text)); got != want {
			t.Errorf("%s: %q, expected %q", text, got, want)
		}
	}
}

func TestTheEndOfAPeerIsAConsequence(t *testing.T) {
	for text, want := range map[string]bool{
		"RuntimeError: [pair.cc:534] Connection closed by peer [10.0.0.1]:7395\n": true,
		"RuntimeError: out of range\n":                                            false,
		"no cause\n":                                                              false,
	} {
		if got := Follows([]byte(text), End{Code: 1}); got != want {
			t.Errorf("%q: %t, expected %t", text, got, want)
		}
	}
}
