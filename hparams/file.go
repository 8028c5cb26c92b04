package hparams

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// FileFormat is what a file of hyperparameters is written in.
type FileFormat string

// The formats of File.
const (
	FileJSON FileFormat = "json"
	FileYAML FileFormat = "yaml"
	FileTOML FileFormat = "toml"
)

// FormatOf is the format that a file's name ends with, JSON where it ends with none of ours.
func FormatOf(path string) FileFormat {
	switch strings.ToLower(path[strings.LastIndexByte(path, '.')+1:]) {
	case "yaml", "yml":
		return FileYAML
	case "toml":
		return FileTOML
	}
	return FileJSON
}

// FileFormats are all formats, the default first.
func FileFormats() []string { return []string{string(FileJSON), string(FileYAML), string(FileTOML)} }

// File writes decoded hyperparameters, in their order and with the text of their numbers, for trainers that read
// a file instead of flags. What a format cannot hold is an error: JSON has no NaN, TOML no null.
func File(format FileFormat, params Params) ([]byte, error) {
	w := fileWriter{format: format}
	doc := params.Object()
	if format == FileJSON {
		w.value(doc, "")
		w.out.WriteByte('\n')
	} else {
		for _, f := range doc.Fields {
			// At the top both are lines of names and values; a value is on one line, as YAML's flow style is.
			w.text(f.Key, f.Key)
			w.out.WriteString(w.colon())
			w.value(f.Value, f.Key)
			w.out.WriteByte('\n')
		}
		if len(doc.Fields) == 0 && format == FileYAML {
			w.out.WriteString("{}\n")
		}
	}
	return []byte(w.out.String()), w.err
}

type fileWriter struct {
	format FileFormat
	out    strings.Builder
	err    error
}

func (w *fileWriter) fail(name, what string) {
	if w.err == nil {
		w.err = &ParamError{Name: name, Msg: fmt.Sprintf("%s cannot hold %s", strings.ToUpper(string(w.format)), what)}
	}
}

// colon stands between a key and its value.
func (w *fileWriter) colon() string {
	if w.format == FileTOML {
		return " = "
	}
	return ": "
}

// text writes a string, or a key: both are always quoted.
func (w *fileWriter) text(s, name string) {
	if HasSurrogate(s) && w.format != FileJSON {
		w.fail(name, "half of a surrogate pair")
	}
	w.out.WriteString(w.quoted(s))
}

// quoted is a JSON string, which YAML and TOML read too once what either refuses is escaped: DEL, the C1 controls,
// the separators that YAML takes for line ends, and what no text should hold.
func (w *fileWriter) quoted(s string) string {
	var b []byte
	for _, r := range JSON(Str(s), PlainJSON()) {
		switch {
		case r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff:
			b = appendU(b, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

func (w *fileWriter) value(v Value, name string) {
	switch v.Kind {
	case Null:
		if w.format == FileTOML {
			w.fail(name, "null")
		}
		w.out.WriteString("null")
	case Bool:
		w.out.WriteString(v.Text)
	case Int:
		if _, err := strconv.ParseInt(v.Text, 10, 64); err != nil && w.format == FileTOML {
			w.fail(name, "a whole number of more than 64 bits")
		}
		w.out.WriteString(v.Text)
	case Float:
		w.out.WriteString(w.float(v.Text, name))
	case String:
		w.text(v.Text, name)
	case List:
		w.list(v.Items, name)
	case Object:
		w.object(v.Fields, name)
	}
}

func (w *fileWriter) list(items []Value, name string) {
	w.out.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			w.out.WriteString(", ")
		}
		w.value(item, name)
	}
	w.out.WriteByte(']')
}

func (w *fileWriter) object(fields []Field, name string) {
	w.out.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			w.out.WriteString(", ")
		}
		name := cmp.Or(name, f.Key)
		w.text(f.Key, name)
		w.out.WriteString(w.colon())
		w.value(f.Value, name)
	}
	w.out.WriteByte('}')
}

// float spells a number for its format. YAML 1.1, which Python's loader speaks, wants a dot and a signed
// exponent: 1e5 is a string to it.
func (w *fileWriter) float(text, name string) string {
	switch text {
	case "NaN", "Infinity", "-Infinity":
		return w.special(text, name)
	}
	if w.format != FileYAML {
		return text
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(text), "e")
	if !scientific {
		return text
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if exponent[0] != '-' && exponent[0] != '+' {
		exponent = "+" + exponent
	}
	return mantissa + "e" + exponent
}

func (w *fileWriter) special(text, name string) string {
	if w.format == FileJSON {
		w.fail(name, text)
	}
	dot := ""
	if w.format == FileYAML {
		dot = "."
	}
	return map[string]string{"NaN": dot + "nan", "Infinity": dot + "inf", "-Infinity": "-" + dot + "inf"}[text]
}
