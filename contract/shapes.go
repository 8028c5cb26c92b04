package contract

import (
	"slices"
	"strings"
)

// maskShapes returns a text with every part replaced that has the shape of a secret.
func maskShapes(text string) string { return hideSpans(text, shapeSpans(text)) }

// shapeSpans finds secrets by their shape, without knowing their values: the password in a URL, the value
// of an Authorization header, keys of AWS, tokens with a known beginning, private keys, and the text after
// a secret name or a flag of that name. A hash, a path or an ordinary word has no such shape.
func shapeSpans(text string) []span {
	return slices.Concat(urlSpans(text), headerSpans(text), assignedSpans(text), flagSpans(text),
		tokenSpans(text), webTokenSpans(text), awsSpans(text), pemSpans(text))
}

// urlSpans finds the passwords in URLs such as postgres://user:password@host, and in the form
// user:password@tcp(host) of MySQL's Go driver.
func urlSpans(text string) []span {
	var found []span
	for _, i := range offsets(text, "://") {
		found = append(found, userinfoSpans(text, i+len("://"))...)
	}
	for _, network := range []string{"@tcp(", "@unix("} {
		for _, at := range offsets(text, network) {
			from := strings.LastIndexAny(text[:at], " \t\r\n\"'=/") + 1
			if i := strings.IndexByte(text[from:at], ':'); i >= 0 && i+1 < at-from {
				found = append(found, span{from + i + 1, at})
			}
		}
	}
	return found
}

// userinfoSpans finds the secrets in front of the @ in a URL. From is the offset behind its "://".
func userinfoSpans(text string, from int) []span {
	const longest = 1024 // bytes of a URL
	rest := text[from:min(from+longest, len(text))]
	rest = rest[:indexAnyFrom(rest, 0, " \t\r\n\"'<>`|")]
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	at := strings.LastIndexByte(authority, '@')
	_, port, ok := strings.Cut(authority, ":")
	if at < 0 && ok && strings.Trim(port, "0123456789") != "" && authority[0] != '[' {
		at = strings.LastIndexByte(rest, '@') // the password itself holds one of /?#
	}
	if at < 0 {
		return nil
	}
	const long = 16 // bytes; the name of a user is shorter, or has no digits
	var found []span
	user, password, _ := strings.Cut(rest[:at], ":")
	if looksRandom(user, long) {
		found = append(found, span{from, from + len(user)})
	}
	if password != "" {
		found = append(found, span{from + at - len(password), from + at})
	}
	return found
}

// wordEnd holds the characters that end a word in a log, in JSON or in a call.
const wordEnd = " \t\r\n\"',;)]}>"

// headerSpans finds the word after Bearer or Basic, and the value of an Authorization header.
func headerSpans(text string) []span {
	lower := lowerASCII(text)
	var found []span
	for _, scheme := range []string{"bearer", "basic"} {
		for _, i := range offsets(lower, scheme+" ") {
			from := i + len(scheme) + 1
			to := indexAnyFrom(text, from, wordEnd)
			if looksRandom(text[from:to], 12) {
				found = append(found, span{from, to})
			}
		}
	}
	for _, i := range offsets(lower, "authorization") {
		if s := authorizationValue(text, lower, i+len("authorization")); s.to > s.from {
			found = append(found, s)
		}
	}
	return found
}

// authorizationValue returns the value of a header whose name ends at an offset. It leaves out a scheme
// such as Bearer. Lower is the text in small letters.
func authorizationValue(text, lower string, at int) span {
	from := skipAny(text, at, "\"' \t:=>")
	if !strings.ContainsAny(text[at:from], ":=") {
		return span{} // the word stands in a sentence
	}
	shortest := 12
	for _, scheme := range []string{"bearer ", "basic ", "token ", "digest ", "negotiate ", "apikey ", "key "} {
		if strings.HasPrefix(lower[from:], scheme) {
			from, shortest = from+len(scheme), 6
			break
		}
	}
	to := indexAnyFrom(text, from, wordEnd)
	value := text[from:to]
	if len(value) < shortest || strings.Trim(value, "abcdefghijklmnopqrstuvwxyz.:-") == "" {
		return span{}
	}
	return span{from, to}
}

// assignedSpans finds the values of secret names after an equals sign or a colon, as in NAME=VALUE, in
// JSON, in a Python dict, in a header and in YAML.
func assignedSpans(text string) []span {
	var found []span
	done := 1 // the first sign that counts has a name of at least one byte in front of it
	for i := range len(text) {
		if text[i] != '=' && text[i] != ':' || i < done {
			continue
		}
		name, quoted := nameBefore(text, i)
		if name == "" || weigh(name) != certain {
			continue
		}
		s := assignedValue(text, i+1, text[i] == ':')
		if text[i] == ':' && !quoted {
			s = colonValue(text, i+1)
		}
		if s.to-s.from >= shortestWord {
			found, done = append(found, s), s.to
		}
	}
	return found
}

// colonValue returns the value after a name and a colon, as in a header, in YAML or in a sentence:
// "X-Api-Key: 1f4a". A sentence may go on with any word there. So the value must look like a secret, and not
// like a path.
func colonValue(text string, from int) span {
	const shortest = 8 // bytes
	from = skipAny(text, from, " ")
	s := span{from, indexAnyFrom(text, from, wordEnd+"&<")}
	value := text[s.from:s.to]
	if strings.ContainsAny(value, "/([{=$:") || !looksRandom(value, shortest) {
		return span{}
	}
	return s
}

// nameBefore returns the name that ends at an offset, and whether it is in quotes. Of a name that is too
// long it returns the end.
func nameBefore(text string, end int) (name string, quoted bool) {
	const longest = 64 // bytes
	if quoted = text[end-1] == '"' || text[end-1] == '\''; quoted {
		end--
	}
	from := end
	inName := func(c byte) bool { return isAlnum(c) || strings.IndexByte("_-.", c) >= 0 }
	for from > 0 && end-from < longest && inName(text[from-1]) {
		from--
	}
	return text[from:end], quoted
}

// assignedValue returns the value at an offset. It returns none for a word that only says where the value
// is: a variable of a shell, a field of an object, or a call.
func assignedValue(text string, from int, inJSON bool) span {
	if inJSON {
		from = skipAny(text, from, " ")
	}
	if from < len(text) && (text[from] == '"' || text[from] == '\'') {
		return span{from + 1, indexAnyFrom(text, from+1, text[from:from+1]+"\n")}
	}
	s := span{from, indexAnyFrom(text, from, wordEnd+"&<")}
	value := text[s.from:s.to]
	call := strings.ContainsAny(value, "([{")
	field := strings.Trim(value, "abcdefghijklmnopqrstuvwxyz_.") == "" &&
		strings.Contains(strings.Trim(value, "."), ".")
	variable := strings.HasPrefix(value, "$") || strings.HasPrefix(value, "%")
	if inJSON || call || field || variable || value == "None" || value == "null" {
		return span{}
	}
	return s
}
