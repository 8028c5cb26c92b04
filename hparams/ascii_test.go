package hparams

import "testing"

func TestWordsHoldLettersDigitsAndTheExtraCharactersAlone(t *testing.T) {
	for c := range 256 {
		b := byte(c)
		letter := 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
		digit := '0' <= b && b <= '9'
		if IsLetter(b) != letter || IsDigit(b) != digit {
			t.Errorf("byte %#02x: letter %v, digit %v", b, IsLetter(b), IsDigit(b))
		}
		if got := IsWord(string([]byte{'a', b}), "_-"); got != (letter || digit || b == '_' || b == '-') {
			t.Errorf("byte %#02x in a word: %v", b, got)
		}
	}
	if IsWord("", "_-") {
		t.Error("the empty text counts as a word")
	}
}
