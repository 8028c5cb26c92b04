package hparams

import "unicode/utf8"

// Dialect describes a way to write JSON.
type Dialect struct {
	Sorted bool // keys in the order of their code points; otherwise in the order of the file
	Spaced bool // a space after "," and ":"
	Plain  bool // letters as UTF-8 and numbers in their own text; otherwise as Python's json.dumps writes them
}

// ToolkitJSON writes as json.dumps(value, sort_keys=True, separators=(",", ":")), which mapping.py of the
// training toolkit calls.
func ToolkitJSON() Dialect { return Dialect{Sorted: true} }

// DriversJSON writes as json.dumps(value), which common/utils.py of the SDK v3 drivers calls.
func DriversJSON() Dialect { return Dialect{Spaced: true} }

// PlainJSON keeps the text of numbers, and writes letters as UTF-8.
func PlainJSON() Dialect { return Dialect{Plain: true} }

// JSON writes a value in one line.
func JSON(v Value, d Dialect) string { return string(d.append(nil, v)) }

func (d Dialect) append(out []byte, v Value) []byte {
	switch v.Kind {
	case Null:
		return append(out, "null"...)
	case Bool:
		return append(out, v.Text...)
	case Int, Float:
		return append(out, d.number(v)...)
	case String:
		return d.appendString(out, v.Text)
	case List:
		out = append(out, '[')
		for i, item := range v.Items {
			out = d.append(d.comma(out, i), item)
		}
		return append(out, ']')
	default:
		fields := v.Fields
		if d.Sorted {
			fields = sortedFields(fields)
		}
		out = append(out, '{')
		for i, f := range fields {
			out = append(d.appendString(d.comma(out, i), f.Key), ':')
			if d.Spaced {
				out = append(out, ' ')
			}
			out = d.append(out, f.Value)
		}
		return append(out, '}')
	}
}

func (d Dialect) comma(out []byte, i int) []byte {
	switch {
	case i == 0:
		return out
	case d.Spaced:
		return append(out, ", "...)
	default:
		return append(out, ',')
	}
}

func (d Dialect) number(v Value) string {
	if d.Plain {
		return v.Text
	}
	if v.Kind == Int {
		return pyInt(v.Text)
	}
	switch s := pyFloat(v.float()); s {
	case "nan":
		return "NaN"
	case "inf":
		return "Infinity"
	case "-inf":
		return "-Infinity"
	default:
		return s
	}
}

func (d Dialect) appendString(out []byte, s string) []byte {
	out = append(out, '"')
	for i := 0; i < len(s); {
		plain := i
		for i < len(s) && s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\' {
			i++
		}
		if out = append(out, s[plain:i]...); i == len(s) {
			break
		}
		r, n := decodeWTF8(s[i:])
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r < ' ':
			out = appendControl(out, r)
		case d.Plain && !isSurrogate(r):
			out = append(out, s[i:i+n]...)
		default:
			out = appendU(out, r)
		}
		i += n
	}
	return append(out, '"')
}

func isSurrogate(r rune) bool { return 0xd800 <= r && r < 0xe000 }

func appendControl(out []byte, r rune) []byte {
	switch r {
	case '\b':
		return append(out, `\b`...)
	case '\f':
		return append(out, `\f`...)
	case '\n':
		return append(out, `\n`...)
	case '\r':
		return append(out, `\r`...)
	case '\t':
		return append(out, `\t`...)
	default:
		return appendU(out, r)
	}
}

// appendU writes a code point as \uXXXX. Beyond U+FFFF it writes a surrogate pair.
func appendU(out []byte, r rune) []byte {
	if r > 0xffff {
		r -= 0x10000
		out = appendHex(append(out, `\u`...), 0xd800|r>>10, 4)
		r = 0xdc00 | r&0x3ff
	}
	return appendHex(append(out, `\u`...), r, 4)
}

// Quote writes a string as JSON, for messages: the escapes show characters that cannot be seen. Of a string
// with more than 60 characters it shows the first 60, and … behind the closing quote.
func Quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		runes := []rune(s)
		return string(PlainJSON().appendString(nil, string(runes[:most]))) + "…"
	}
	return string(PlainJSON().appendString(nil, s))
}
