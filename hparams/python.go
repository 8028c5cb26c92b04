package hparams

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PythonText writes a value as Python's str() does.
func PythonText(v Value) string {
	if v.Kind == String {
		return v.Text
	}
	return string(appendRepr(nil, v))
}

// appendRepr writes a value as Python's repr() does.
func appendRepr(out []byte, v Value) []byte {
	switch v.Kind {
	case Null:
		return append(out, "None"...)
	case Bool:
		if v.Text == "true" {
			return append(out, "True"...)
		}
		return append(out, "False"...)
	case Int:
		return append(out, pyInt(v.Text)...)
	case Float:
		return append(out, pyFloat(v.float())...)
	case String:
		return appendReprString(out, v.Text)
	case List:
		out = append(out, '[')
		for i, item := range v.Items {
			if i > 0 {
				out = append(out, ", "...)
			}
			out = appendRepr(out, item)
		}
		return append(out, ']')
	default:
		out = append(out, '{')
		for i, f := range v.Fields {
			if i > 0 {
				out = append(out, ", "...)
			}
			out = append(appendReprString(out, f.Key), ": "...)
			out = appendRepr(out, f.Value)
		}
		return append(out, '}')
	}
}

// pyInt returns Python's str(int(text)) for a whole number in JSON's spelling: only -0 changes, to 0.
func pyInt(text string) string {
	if text == "-0" {
		return "0"
	}
	return text
}

// pyFloat writes a number as Python's float.__repr__ does: the shortest digits that read back as the same
// number. Below 1e-4 and from 1e16 on it writes an exponent of at least two digits (float_repr_style "short",
// PyOS_double_to_string 'r').
func pyFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if strings.IndexByte(s, '.') < 0 {
		s += ".0"
	}
	return s
}

func appendReprString(out []byte, s string) []byte {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	out = append(out, quote)
	for i := 0; i < len(s); {
		r, n := decodeWTF8(s[i:])
		out = appendReprRune(out, r, quote)
		i += n
	}
	return append(out, quote)
}

func appendReprRune(out []byte, r rune, quote byte) []byte {
	switch {
	case r == rune(quote) || r == '\\':
		return append(out, '\\', byte(r))
	case r == '\n':
		return append(out, `\n`...)
	case r == '\r':
		return append(out, `\r`...)
	case r == '\t':
		return append(out, `\t`...)
	case r < utf8.RuneSelf && r >= ' ' && r != 0x7f, r >= utf8.RuneSelf && unicode.IsPrint(r):
		return utf8.AppendRune(out, r)
	case r < 0x100:
		return appendHex(append(out, `\x`...), r, 2)
	case r < 0x10000:
		return appendHex(append(out, `\u`...), r, 4)
	default:
		return appendHex(append(out, `\U`...), r, 8)
	}
}

// appendHex writes r as hexadecimal, with as many digits as width says.
func appendHex(out []byte, r rune, width int) []byte {
	for shift := 4 * (width - 1); shift >= 0; shift -= 4 {
		out = append(out, "0123456789abcdef"[r>>shift&0xf])
	}
	return out
}

// pyUpper works as Python's str.upper(). Unlike strings.ToUpper, it turns one letter into several where
// Unicode says so: ß becomes SS.
func pyUpper(s string) string {
	upper := strings.ToUpper(s)
	if len(s) == len(upper) && isASCII(s) {
		return upper
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := decodeWTF8(s[i:])
		if capitals, ok := specialUpper(r); ok {
			b.WriteString(capitals)
		} else if isSurrogate(r) {
			b.WriteString(s[i : i+n])
		} else {
			b.WriteRune(unicode.ToUpper(r))
		}
		i += n
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// specialCasing lists the letters whose capital form has several letters: each word is the letter and then
// its capitals. It holds the mappings of Unicode's SpecialCasing.txt that are valid in every language.
// unicode.ToUpper leaves them out.
const specialCasing = "" +
	"\u00dfSS \u0149\u02bcN \u01f0J\u030c \u0390\u0399\u0308\u0301 \u03b0\u03a5\u0308\u0301 " +
	"\u0587\u0535\u0552 \u1e96H\u0331 \u1e97T\u0308 \u1e98W\u030a \u1e99Y\u030a \u1e9aA\u02be " +
	"\u1f50\u03a5\u0313 \u1f52\u03a5\u0313\u0300 \u1f54\u03a5\u0313\u0301 \u1f56\u03a5\u0313\u0342 " +
	"\u1f80\u1f08\u0399 \u1f81\u1f09\u0399 \u1f82\u1f0a\u0399 \u1f83\u1f0b\u0399 \u1f84\u1f0c\u0399 " +
	"\u1f85\u1f0d\u0399 \u1f86\u1f0e\u0399 \u1f87\u1f0f\u0399 \u1f88\u1f08\u0399 \u1f89\u1f09\u0399 " +
	"\u1f8a\u1f0a\u0399 \u1f8b\u1f0b\u0399 \u1f8c\u1f0c\u0399 \u1f8d\u1f0d\u0399 \u1f8e\u1f0e\u0399 " +
	"\u1f8f\u1f0f\u0399 \u1f90\u1f28\u0399 \u1f91\u1f29\u0399 \u1f92\u1f2a\u0399 \u1f93\u1f2b\u0399 " +
	"\u1f94\u1f2c\u0399 \u1f95\u1f2d\u0399 \u1f96\u1f2e\u0399 \u1f97\u1f2f\u0399 \u1f98\u1f28\u0399 " +
	"\u1f99\u1f29\u0399 \u1f9a\u1f2a\u0399 \u1f9b\u1f2b\u0399 \u1f9c\u1f2c\u0399 \u1f9d\u1f2d\u0399 " +
	"\u1f9e\u1f2e\u0399 \u1f9f\u1f2f\u0399 \u1fa0\u1f68\u0399 \u1fa1\u1f69\u0399 \u1fa2\u1f6a\u0399 " +
	"\u1fa3\u1f6b\u0399 \u1fa4\u1f6c\u0399 \u1fa5\u1f6d\u0399 \u1fa6\u1f6e\u0399 \u1fa7\u1f6f\u0399 " +
	"\u1fa8\u1f68\u0399 \u1fa9\u1f69\u0399 \u1faa\u1f6a\u0399 \u1fab\u1f6b\u0399 \u1fac\u1f6c\u0399 " +
	"\u1fad\u1f6d\u0399 \u1fae\u1f6e\u0399 \u1faf\u1f6f\u0399 \u1fb2\u1fba\u0399 \u1fb3\u0391\u0399 " +
	"\u1fb4\u0386\u0399 \u1fb6\u0391\u0342 \u1fb7\u0391\u0342\u0399 \u1fbc\u0391\u0399 " +
	"\u1fc2\u1fca\u0399 \u1fc3\u0397\u0399 \u1fc4\u0389\u0399 \u1fc6\u0397\u0342 " +
	"\u1fc7\u0397\u0342\u0399 \u1fcc\u0397\u0399 \u1fd2\u0399\u0308\u0300 \u1fd3\u0399\u0308\u0301 " +
	"\u1fd6\u0399\u0342 \u1fd7\u0399\u0308\u0342 \u1fe2\u03a5\u0308\u0300 \u1fe3\u03a5\u0308\u0301 " +
	"\u1fe4\u03a1\u0313 \u1fe6\u03a5\u0342 \u1fe7\u03a5\u0308\u0342 \u1ff2\u1ffa\u0399 " +
	"\u1ff3\u03a9\u0399 \u1ff4\u038f\u0399 \u1ff6\u03a9\u0342 \u1ff7\u03a9\u0342\u0399 " +
	"\u1ffc\u03a9\u0399 \ufb00FF \ufb01FI \ufb02FL \ufb03FFI \ufb04FFL \ufb05ST \ufb06ST " +
	"\ufb13\u0544\u0546 \ufb14\u0544\u0535 \ufb15\u0544\u053b \ufb16\u054e\u0546 \ufb17\u0544\u053d"

// specialUpper returns the capitals of a letter that specialCasing lists.
func specialUpper(r rune) (string, bool) {
	for word := range strings.SplitSeq(specialCasing, " ") {
		if first, n := utf8.DecodeRuneInString(word); first == r {
			return word[n:], true
		}
	}
	return "", false
}

// sortedFields returns the members of an object in the order of their keys, as Python's sorted() has them: by
// code point.
func sortedFields(fields []Field) []Field {
	// The bytes of UTF-8 sort as the code points do.
	byKey := func(a, b Field) int { return strings.Compare(a.Key, b.Key) }
	if slices.IsSortedFunc(fields, byKey) {
		return fields
	}
	fields = slices.Clone(fields)
	slices.SortFunc(fields, byKey)
	return fields
}
