package contract

import "strings"

// tokenShape is how those who give out tokens begin them.
type tokenShape struct {
	prefix   string
	shortest int    // of what follows, in bytes
	extra    string // characters beside letters and digits
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
		{hugging, 20, ""},
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

// flagSpans are values behind a flag such as --password, in a command that a script starts. They have a letter and a
// digit: a usage has words there, and a sentence too.
func flagSpans(text string) []span {
	const longest = 64 // bytes of a name
	var found []span
	for _, i := range places(text, "--") {
		from := i + len("--")
		end := from + runOf(text[from:min(len(text), from+longest)], "-_.")
		if end == len(text) || text[end] != ' ' || i > 0 && (isAlnum(text[i-1]) || text[i-1] == '-') {
			continue
		}
		s := span{end + 1, upTo(text, end+1, " \t\r\n\"',;)]}>|")}
		value := text[s.from:s.to]
		isOther := value == strings.ToUpper(value) || strings.IndexByte("/.-$<[({", value[0]) >= 0 // TOKEN_1, /etc/token1
		if !isOther && isRandom(value, shortestPart) && weigh(text[from:end]) == certain {
			found = append(found, s)
		}
	}
	return found
}

// hugging begins a token of Hugging Face.
const hugging = "hf_"

// isLetters says whether a word is as long as a token of Hugging Face, and has letters of both cases: those tokens have no
// digit, unlike all others.
func isLetters(word string) bool {
	const length = 34 // bytes
	return len(word) == length && strings.ToLower(word) != word && strings.ToUpper(word) != word
}

// tokenSpans are the tokens that say by their first letters what they are.
func tokenSpans(text string) []span {
	var found []span
	for _, t := range tokenShapes() {
		done := 0
		for _, i := range places(text, t.prefix) {
			if i < done || i > 0 && isAlnum(text[i-1]) {
				continue
			}
			from := i + len(t.prefix)
			to := from + runOf(text[from:], t.extra)
			if done = to; isRandom(text[from:to], t.shortest) || t.prefix == hugging && isLetters(text[from:to]) {
				found = append(found, span{i, to})
			}
		}
	}
	return found
}

// webTokenSpans are JSON web tokens: their first part is a JSON object in base64.
func webTokenSpans(text string) []span {
	var found []span
	for _, i := range places(text, "eyJ") {
		if i > 0 && isAlnum(text[i-1]) {
			continue
		}
		to := i + runOf(text[i:], "-_.")
		head, rest, _ := strings.Cut(text[i:to], ".")
		body, _, _ := strings.Cut(rest, ".")
		if len(head) >= 12 && len(body) >= 8 {
			found = append(found, span{i, to})
		}
	}
	return found
}

// awsSpans are the ids of access keys of AWS, and the keys beside them.
func awsSpans(text string) []span {
	const length = 20 // bytes
	var found []span
	for _, prefix := range []string{"AKIA", "ASIA"} {
		for _, i := range places(text, prefix) {
			to := i + runOf(text[i:min(len(text), i+length+1)], "")
			if to-i != length || strings.ToUpper(text[i:to]) != text[i:to] || i > 0 && isAlnum(text[i-1]) {
				continue
			}
			found = append(append(found, span{i, to}), keysNear(text, i, to)...)
		}
	}
	return found
}

// keysNear are the secret keys of AWS close to an id.
func keysNear(text string, from, to int) []span {
	const length, near = 40, 256 // bytes
	var found []span
	from, to = max(0, from-near), min(len(text), to+near)
	for from < to {
		n := runOf(text[from:], "/+")
		if n == length && isMixed(text[from:from+n]) {
			found = append(found, span{from, from + n})
		}
		from += n + 1
	}
	return found
}

// isMixed tells a key from a hash and from a path: it has digits and letters of both cases.
func isMixed(word string) bool {
	return isRandom(word, 1) && strings.ToLower(word) != word && strings.ToUpper(word) != word
}

// pemSpans are private keys as PEM has them, as far as they are there.
func pemSpans(text string) []span {
	var found []span
	for _, i := range places(text, "PRIVATE KEY-----") {
		from := i + len("PRIVATE KEY-----")
		if begin := strings.LastIndex(text[:i], "-----"); begin < 0 || !strings.HasPrefix(text[begin:], "-----BEGIN ") {
			continue
		}
		to := from + runOf(text[from:], "+/=\r\n\\")
		if end := strings.Index(text[from:], "-----END "); end >= 0 {
			to = from + end
		}
		if to > from {
			found = append(found, span{from, to})
		}
	}
	return found
}

// runOf is how many letters, digits and extra characters a text begins with.
func runOf(text, extra string) int {
	n := 0
	for n < len(text) && (isAlnum(text[n]) || strings.IndexByte(extra, text[n]) >= 0) {
		n++
	}
	return n
}
