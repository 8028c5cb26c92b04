package contract

import "strings"

// tokenShape describes the tokens of one service.
type tokenShape struct {
	prefix   string
	shortest int    // the least number of bytes after the prefix
	extra    string // the characters after the prefix that are neither letters nor digits
}

func tokenShapes() []tokenShape {
	return []tokenShape{
		{"ghp_", 20, ""},
		{"gho_", 20, ""},
		{"ghu_", 20, ""},
		{"ghs_", 20, ""},
		{"ghr_", 20, ""},
		{"github_pat_", 20, "_"},
		{"glpat-", 16, "-_"},
		{huggingFace, 20, ""},
		{"sk-", 20, "-_"},
		{"sk_live_", 12, ""},
		{"sk_test_", 12, ""},
		{"rk_live_", 12, ""},
		{"xoxa-", 10, "-"},
		{"xoxb-", 10, "-"},
		{"xoxp-", 10, "-"},
		{"xoxr-", 10, "-"},
		{"xoxs-", 10, "-"},
		{"xapp-", 10, "-"},
		{"npm_", 30, ""},
		{"pypi-", 40, "-_"},
		{"AIza", 30, "-_"},
		{"ya29.", 20, "-_"},
		{"dckr_pat_", 20, "-_"},
		{"dapi", 32, ""},
		{"nvapi-", 20, "-_"},
		{"SG.", 30, "-_."},
		{"IQoJb3JpZ2lu", 50, "+/="}, // a session token of AWS
		{"FwoGZXIvYXdz", 50, "+/="}, // likewise
	}
}

// flagSpans finds the values after a flag such as --password, in a command line that a text shows. Only a
// value with a letter and a digit counts: after such a flag, a usage text or a sentence has an ordinary
// word.
func flagSpans(text string) []span {
	const longest = 64 // bytes of a name
	var found []span
	for _, i := range offsets(text, "--") {
		from := i + len("--")
		end := from + runLength(text[from:min(len(text), from+longest)], "-_.")
		if end == len(text) || text[end] != ' ' || i > 0 && (isAlnum(text[i-1]) || text[i-1] == '-') {
			continue
		}
		s := span{end + 1, indexAnyFrom(text, end+1, wordEnd+"|")}
		value := text[s.from:s.to]
		if value == strings.ToUpper(value) || strings.IndexByte("/.-$<[({", value[0]) >= 0 {
			continue // a placeholder such as TOKEN_1, a path such as /etc/token1, or no value at all
		}
		if looksRandom(value, shortestPart) && weigh(text[from:end]) == certain {
			found = append(found, s)
		}
	}
	return found
}

// huggingFace is the prefix of Hugging Face's tokens.
const huggingFace = "hf_"

// isHuggingFaceRest tells whether a word can follow that prefix. Unlike other tokens these may have no
// digit, so their length and letters of both cases must do.
func isHuggingFaceRest(word string) bool {
	const length = 34 // bytes
	return len(word) == length && strings.ToLower(word) != word && strings.ToUpper(word) != word
}

// tokenSpans finds the tokens of tokenShapes.
func tokenSpans(text string) []span {
	var found []span
	for _, t := range tokenShapes() {
		done := 0
		for _, i := range offsets(text, t.prefix) {
			if i < done || i > 0 && isAlnum(text[i-1]) {
				continue
			}
			from := i + len(t.prefix)
			to := from + runLength(text[from:], t.extra)
			done = to
			rest := text[from:to]
			if looksRandom(rest, t.shortest) || t.prefix == huggingFace && isHuggingFaceRest(rest) {
				found = append(found, span{i, to})
			}
		}
	}
	return found
}

// webTokenSpans finds JSON web tokens. Their first part is a JSON object in base64, so it begins with eyJ.
func webTokenSpans(text string) []span {
	var found []span
	for _, i := range offsets(text, "eyJ") {
		if i > 0 && isAlnum(text[i-1]) {
			continue
		}
		to := i + runLength(text[i:], "-_.")
		head, rest, _ := strings.Cut(text[i:to], ".")
		body, _, _ := strings.Cut(rest, ".")
		if len(head) >= 12 && len(body) >= 8 {
			found = append(found, span{i, to})
		}
	}
	return found
}

// awsSpans finds the ids of AWS access keys, and the secret keys near them.
func awsSpans(text string) []span {
	const length = 20 // bytes
	var found []span
	for _, prefix := range []string{"AKIA", "ASIA"} {
		for _, i := range offsets(text, prefix) {
			to := i + runLength(text[i:min(len(text), i+length+1)], "")
			if to-i != length || strings.ToUpper(text[i:to]) != text[i:to] || i > 0 && isAlnum(text[i-1]) {
				continue
			}
			found = append(append(found, span{i, to}), keysNear(text, i, to)...)
		}
	}
	return found
}

// keysNear finds the secret keys of AWS near an id. The id stands between the offsets from and to.
func keysNear(text string, from, to int) []span {
	const length, near = 40, 256 // the length of a key, and its greatest distance from the id, in bytes
	var found []span
	from, to = max(0, from-near), min(len(text), to+near)
	for from < to {
		n := runLength(text[from:], "/+")
		if n == length && hasDigitAndBothCases(text[from:from+n]) {
			found = append(found, span{from, from + n})
		}
		from += n + 1
	}
	return found
}

// hasDigitAndBothCases tells a secret key from a hash and from a path, which lack a digit or letters of one
// case.
func hasDigitAndBothCases(word string) bool {
	return looksRandom(word, 1) && strings.ToLower(word) != word && strings.ToUpper(word) != word
}

// pemSpans finds private keys in the PEM format. A key may lack its last lines.
func pemSpans(text string) []span {
	var found []span
	for _, i := range offsets(text, "PRIVATE KEY-----") {
		from := i + len("PRIVATE KEY-----")
		begin := strings.LastIndex(text[:i], "-----")
		if begin < 0 || !strings.HasPrefix(text[begin:], "-----BEGIN ") {
			continue
		}
		to := from + runLength(text[from:], "+/=\r\n\\")
		if end := strings.Index(text[from:], "-----END "); end >= 0 {
			to = from + end
		}
		if to > from {
			found = append(found, span{from, to})
		}
	}
	return found
}
