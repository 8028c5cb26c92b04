package contract

import (
	"slices"
	"strings"

	"entrain/hparams"
)

// weight says how surely the value of a name is a secret.
type weight uint8

const (
	harmless weight = iota
	likely          // such as label_key and pad_token: their values may be secrets, but usually are none
	certain         // such as api_key and password
)

// IsSecret tells whether entrain must not print the value of a name, in any capitals. The name holds SECRET,
// PASSWORD, CREDENTIAL, AUTHORIZATION or the like anywhere, or PASS or PWD as a word. Or a word in it ends
// with KEY, TOKEN or CRED, with or without an S. So tokenizer and private_subnets are not secret.
func IsSecret(name string) bool { return weigh(name) != harmless }

// weigh says how surely the value of a name is a secret.
func weigh(name string) weight {
	upper := strings.ToUpper(name)
	if upper == "PWD" || upper == "OLDPWD" || upper == "OLD_PWD" {
		return harmless // working directories
	}
	holds := func(word string) bool { return strings.Contains(upper, word) }
	if !slices.ContainsFunc([]string{"PASS", "SECRET", "KEY", "TOKEN", "CRED", "PWD", "AUTHORIZATION"}, holds) {
		return harmless // almost all names end here, which saves time
	}
	if slices.ContainsFunc(secretWords(), holds) || holdsPass(upper) {
		return certain
	}
	if len(upper) != len(name) {
		return harmless // endsWord needs capitals at the same offsets as in the name
	}
	isKey, isToken := endsWord(name, upper, "KEY"), endsWord(name, upper, "TOKEN")
	switch {
	case endsWord(name, upper, "CRED"), isToken && isLastToken(upper) && !isTextToken(upper):
		return certain
	case isKey && opensSomething(upper):
		return certain
	case isKey || isToken:
		return likely
	}
	return harmless
}

// opensSomething tells whether a name holds one of secretKeyWords.
func opensSomething(upper string) bool {
	joined := withoutSeparators(upper)
	holds := func(word string) bool { return strings.Contains(joined, word) }
	return slices.ContainsFunc(secretKeyWords(), holds)
}

// isSeparator tells whether r stands between the words of a name.
func isSeparator(r rune) bool { return r == '_' || r == '-' || r == '.' }

// withoutSeparators returns a name without the characters between its words.
func withoutSeparators(name string) string {
	return strings.Map(func(r rune) rune {
		if isSeparator(r) {
			return -1
		}
		return r
	}, name)
}

// secretWords lists the words that make a name secret wherever they stand in it.
func secretWords() []string {
	return []string{
		"SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "PASSCODE", "PASS_WORD", "CREDENTIAL", "AUTHORIZATION",
		"APIKEY", "TOKENVALUE", "PRIVATEKEY", "ACCESSKEY",
		"PGPASS", "DBPASS", "SSHPASS", "USERPASS", "ROOTPASS", "ADMINPASS",
	}
}

// secretKeyWords lists the keys that open something. Other keys, such as sort_key, may name a column.
func secretKeyWords() []string {
	return []string{
		"APIKEY", "ACCESSKEY", "SECRETKEY", "PRIVATEKEY", "ACCOUNTKEY", "AUTHKEY", "SSHKEY", "ENCRYPTIONKEY",
		"SIGNINGKEY", "MASTERKEY", "LICENSEKEY", "CLUSTERKEY", "SERVICEKEY", "DEPLOYKEY",
	}
}

// holdsPass looks for PASS as the last word of a name, and for a word that ends with PWD. It ignores names
// that count passes over data, such as first_pass.
func holdsPass(upper string) bool {
	isBetween := func(r rune) bool { return isSeparator(r) || r == ' ' }
	words := strings.FieldsFunc(upper, isBetween)
	for i, word := range words {
		if strings.HasSuffix(word, "PWD") && word != "OLDPWD" {
			return true
		}
		if word != "PASS" || i+1 < len(words) {
			continue
		}
		counts := []string{
			"FIRST", "SECOND", "ONE", "TWO", "SINGLE", "MULTI", "FORWARD", "BACKWARD", "PER", "NUM", "N",
		}
		return i == 0 || !slices.Contains(counts, words[i-1])
	}
	return false
}

// isLastToken tells whether nothing but a number or an S follows TOKEN. The value of token_dropout or
// token_dim is a number, and hiding it would hide the same number elsewhere in a text.
func isLastToken(upper string) bool {
	return strings.HasSuffix(strings.TrimRight(upper, "0123456789_-.S"), "TOKEN")
}

// isTextToken tells whether a name is about tokens of text: one such token, such as pad_token, or a number of
// them, such as max_tokens.
func isTextToken(upper string) bool {
	words := strings.FieldsFunc(upper, isSeparator)
	return strings.Contains(upper, "TOKENS") || slices.ContainsFunc(words, func(word string) bool {
		return slices.Contains([]string{
			"EOS", "BOS", "PAD", "UNK", "MASK", "SEP", "CLS", "SPECIAL", "IMAGE", "STOP", "START", "END", "MAX", "MIN",
			"NUM", "N", "PER", "NEXT", "FIRST", "LAST", "EXTRA",
		}, word)
	})
}

// endsWord tells whether a word of the name ends with the given word, or with its plural. In a camelCase
// name a word ends where the next capital follows. Upper is the name in capitals.
func endsWord(name, upper, word string) bool {
	for _, i := range offsets(upper, word) {
		end := i + len(word)
		plural := end
		if end < len(upper) && upper[end] == 'S' {
			plural++
		}
		for _, at := range []int{end, plural} {
			if at == len(name) || !hparams.IsLetter(name[at]) || isUpper(name[at]) && !isUpper(name[at-1]) {
				return true
			}
		}
	}
	return false
}
