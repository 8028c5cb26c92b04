package contract

import (
	"slices"
	"strings"
)

// weight says how surely the value of a name is a secret.
type weight uint8

const (
	harmless weight = iota
	likely          // such as label_key and pad_token, which may be secrets and mostly are none
	certain         // such as api_key and password
)

// IsSecret says whether the value of a name must not be printed: SECRET, PASSWORD, CREDENTIAL,
// AUTHORIZATION and the like anywhere in it, in any case, PASS or PWD as a word, or KEY, TOKEN or CRED, or
// one of them with an s, at the end of a word. A tokenizer is no secret, and nor is what is only private,
// such as private_subnets.
func IsSecret(name string) bool { return weigh(name) != harmless }

func weigh(name string) weight {
	upper := strings.ToUpper(name)
	if upper == "PWD" || upper == "OLDPWD" || upper == "OLD_PWD" {
		return harmless // working directories
	}
	holds := func(word string) bool { return strings.Contains(upper, word) }
	if !slices.ContainsFunc([]string{"PASS", "SECRET", "KEY", "TOKEN", "CRED", "PWD", "AUTHORIZATION"}, holds) {
		return harmless // as almost all names are, and there are many of them
	}
	if slices.ContainsFunc(plainWords(), holds) || isPass(upper) {
		return certain
	}
	if len(upper) != len(name) {
		return harmless // letters that change their size with their case; endsWord compares places
	}
	isKey, isToken := endsWord(name, upper, "KEY"), endsWord(name, upper, "TOKEN")
	switch {
	case endsWord(name, upper, "CRED"), isToken && isLastToken(upper) && !isTextToken(upper):
		return certain
	case isKey && slices.ContainsFunc(keyWords(), func(word string) bool { return strings.Contains(joined(upper), word) }):
		return certain
	case isKey || isToken:
		return likely
	}
	return harmless
}

// joined is a name without what is between its words.
func joined(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' {
			return -1
		}
		return r
	}, name)
}

// plainWords are secrets wherever they are in a name.
func plainWords() []string {
	return []string{
		"SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "PASSCODE", "PASS_WORD", "CREDENTIAL", "AUTHORIZATION", "APIKEY",
		"TOKENVALUE", "PRIVATEKEY", "ACCESSKEY", "PGPASS", "DBPASS", "SSHPASS", "USERPASS", "ROOTPASS", "ADMINPASS",
	}
}

// keyWords are the keys that open something. Others, such as sort_key, may name a column.
func keyWords() []string {
	return []string{
		"APIKEY", "ACCESSKEY", "SECRETKEY", "PRIVATEKEY", "ACCOUNTKEY", "AUTHKEY", "SSHKEY", "ENCRYPTIONKEY",
		"SIGNINGKEY", "MASTERKEY", "LICENSEKEY", "CLUSTERKEY", "SERVICEKEY", "DEPLOYKEY",
	}
}

// isPass looks for PASS as the last word of a name, and for PWD as a word or the end of one.
func isPass(upper string) bool {
	words := strings.FieldsFunc(upper, func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == ' ' })
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

// isLastToken says that nothing but a number follows TOKEN: of a token_dropout or a token_dim the value is a number,
// which other numbers of a text may equal.
func isLastToken(upper string) bool {
	return strings.HasSuffix(strings.TrimRight(upper, "0123456789_-.S"), "TOKEN")
}

// isTextToken says that a token is a piece of text, or that tokens are counted.
func isTextToken(upper string) bool {
	words := strings.FieldsFunc(upper, func(r rune) bool { return r == '_' || r == '-' || r == '.' })
	return strings.Contains(upper, "TOKENS") || slices.ContainsFunc(words, func(word string) bool {
		return slices.Contains([]string{
			"EOS", "BOS", "PAD", "UNK", "MASK", "SEP", "CLS", "SPECIAL", "IMAGE", "STOP", "START", "END", "MAX", "MIN",
			"NUM", "N", "PER", "NEXT", "FIRST", "LAST", "EXTRA",
		}, word)
	})
}

// endsWord looks for word in upper where nothing, a plural s, or the next word of a camelCase name follows.
func endsWord(name, upper, word string) bool {
	for from := 0; ; {
		i := strings.Index(upper[from:], word)
		if i < 0 {
			return false
		}
		from += i + len(word)
		end := from
		if end < len(upper) && upper[end] == 'S' {
			end++
		}
		for _, at := range []int{from, end} {
			if at == len(name) || !isLetter(name[at]) || isUpper(name[at]) && !isUpper(name[at-1]) {
				return true
			}
		}
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool  { return isLetter(c) || isDigit(c) }
