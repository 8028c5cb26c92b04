package contract

import (
	"slices"
	"strings"
)

// maskShapes is a text without what has a secret's shape.
func maskShapes(text string) string { return cover(text, shapes(text)) }

// shapes finds what is a secret by its shape, whatever its name: a password in a URL, a header that
// authorizes, keys of AWS, tokens that say by their first letters whose they are, and values behind the
// equals sign of a secret's name, or behind a flag of it. A hash, a path or an ordinary word has none of them.
func shapes(text string) []span {
	return slices.Concat(urlSpans(text), headerSpans(text), assignedSpans(text), flagSpans(text), tokenSpans(text),
		webTokenSpans(text), awsSpans(text), pemSpans(text))
}

// places are the offsets of part in text.
func places(text, part string) []int {
	var found []int
	for from := 0; ; {
		i := strings.Index(text[from:], part)
		if i < 0 {
			return found
		}
		found = append(found, from+i)
		from += i + len(part)
	}
}

// urlSpans are the passwords in URLs, such as postgres://user:password@host, and in the form
// user:password@tcp(host).
func urlSpans(text string) []span {
	var found []span
	for _, i := range places(text, "://") {
		found = append(found, userinfoSpans(text, i+len("://"))...)
	}
	for _, network := range []string{"@tcp(", "@unix("} {
		for _, at := range places(text, network) {
			from := strings.LastIndexAny(text[:at], " \t\r\n\"'=/") + 1
			if i := strings.IndexByte(text[from:at], ':'); i >= 0 && i+1 < at-from {
				found = append(found, span{from + i + 1, at})
			}
		}
	}
	return found
}

// userinfoSpans are the secrets before the @ of a URL whose authority begins at from.
func userinfoSpans(text string, from int) []span {
	const longest = 1024 // bytes of a URL
	rest := text[from:min(from+longest, len(text))]
	rest = rest[:upTo(rest, 0, " \t\r\n\"'<>`|")]
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	at := strings.LastIndexByte(authority, '@')
	_, port, ok := strings.Cut(authority, ":")
	if at < 0 && ok && strings.Trim(port, "0123456789") != "" && authority[0] != '[' {
		at = strings.LastIndexByte(rest, '@') // the password itself has such a character
	}
	if at < 0 {
		return nil
	}
	const long = 16 // bytes; a user's name is shorter, or has no digits
	var found []span
	user, password, _ := strings.Cut(rest[:at], ":")
	if isRandom(user, long) {
		found = append(found, span{from, from + len(user)})
	}
	if password != "" {
		found = append(found, span{from + at - len(password), from + at})
	}
	return found
}

// headerSpans are what follows Bearer or Basic, and what an Authorization header holds.
func headerSpans(text string) []span {
	lower := lowerASCII(text)
	var found []span
	for _, scheme := range []string{"bearer", "basic"} {
		for _, i := range places(lower, scheme+" ") {
			from := i + len(scheme) + 1
			to := upTo(text, from, " \t\r\n\"',;)]}>")
			if isRandom(text[from:to], 12) {
				found = append(found, span{from, to})
			}
		}
	}
	for _, i := range places(lower, "authorization") {
		if s := authorization(text, lower, i+len("authorization")); s.to > s.from {
			found = append(found, s)
		}
	}
	return found
}

// authorization is the value of a header behind its name, and behind the scheme, if there is one.
func authorization(text, lower string, at int) span {
	from := at + len(text[at:]) - len(strings.TrimLeft(text[at:], "\"' \t:=>"))
	if !strings.ContainsAny(text[at:from], ":=") {
		return span{} // a sentence
	}
	shortest := 12
	for _, scheme := range []string{"bearer ", "basic ", "token ", "digest ", "negotiate ", "apikey ", "key "} {
		if strings.HasPrefix(lower[from:], scheme) {
			from, shortest = from+len(scheme), 6
			break
		}
	}
	to := upTo(text, from, " \t\r\n\"',;)]}>")
	value := text[from:to]
	if len(value) < shortest || strings.Trim(value, "abcdefghijklmnopqrstuvwxyz.:-") == "" {
		return span{}
	}
	return span{from, to}
}

// assignedSpans are values behind an equals sign, or in JSON and in Python's dicts, whose name is
// certainly a secret's.
func assignedSpans(text string) []span {
	var found []span
	done := 1 // in front of an equals sign is a name
	for i := range len(text) {
		if text[i] != '=' && text[i] != ':' || i < done {
			continue
		}
		name, quoted := nameBefore(text, i)
		if name == "" || weigh(name) != certain {
			continue
		}
		s := assigned(text, i+1, text[i] == ':')
		if text[i] == ':' && !quoted {
			s = saidOf(text, i+1)
		}
		if s.to-s.from >= shortestWord {
			found, done = append(found, s), s.to
		}
	}
	return found
}

// saidOf is the value behind a name and a colon, as in a header, in YAML or in a sentence: "X-Api-Key: 1f4a". A sentence may
// go on with any word there, so the value must look like a secret, and like no path.
func saidOf(text string, from int) span {
	const shortest = 8 // bytes
	from += len(text[from:]) - len(strings.TrimLeft(text[from:], " "))
	s := span{from, upTo(text, from, " \t\r\n\"',;&)]}<>")}
	value := text[s.from:s.to]
	if strings.ContainsAny(value, "/([{=$:") || !isRandom(value, shortest) {
		return span{}
	}
	return s
}

// nameBefore is the name that ends at an offset, of one that is too long its end.
func nameBefore(text string, end int) (name string, quoted bool) {
	const longest = 64 // bytes
	if quoted = text[end-1] == '"' || text[end-1] == '\''; quoted {
		end--
	}
	from := end
	for from > 0 && end-from < longest && (isAlnum(text[from-1]) || strings.IndexByte("_-.", text[from-1]) >= 0) {
		from--
	}
	return text[from:end], quoted
}

// assigned is the value at from. What only names one is none: a variable of a shell, a field of an object,
// a call.
func assigned(text string, from int, inJSON bool) span {
	if inJSON {
		from += len(text[from:]) - len(strings.TrimLeft(text[from:], " "))
	}
	if from < len(text) && (text[from] == '"' || text[from] == '\'') {
		return span{from + 1, upTo(text, from+1, text[from:from+1]+"\n")}
	}
	s := span{from, upTo(text, from, " \t\r\n,;&)]}\"'<>")}
	value := text[s.from:s.to]
	call := strings.ContainsAny(value, "([{")
	field := strings.Trim(value, "abcdefghijklmnopqrstuvwxyz_.") == "" && strings.Contains(strings.Trim(value, "."), ".")
	variable := strings.HasPrefix(value, "$") || strings.HasPrefix(value, "%")
	if inJSON || call || field || variable || value == "None" || value == "null" {
		return span{}
	}
	return s
}

// upTo is the offset of the first of some characters behind from, or the end.
func upTo(text string, from int, chars string) int {
	if i := strings.IndexAny(text[from:], chars); i >= 0 {
		return from + i
	}
	return len(text)
}

// lowerASCII keeps all offsets, unlike strings.ToLower.
func lowerASCII(text string) string {
	lower := []byte(text)
	for i, c := range lower {
		if isUpper(c) {
			lower[i] = c | 0x20
		}
	}
	return string(lower)
}

// isRandom says that a word is no ordinary one: it is long, and has digits and letters.
func isRandom(word string, shortest int) bool {
	letters, digits := 0, 0
	for _, c := range []byte(word) {
		switch {
		case isLetter(c):
			letters++
		case isDigit(c):
			digits++
		}
	}
	return len(word) >= shortest && letters > 0 && digits > 0
}
