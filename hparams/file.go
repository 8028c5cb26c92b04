package hparams

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// FileFormat names the format of a file of hyperparameters.
type FileFormat string

// The formats that File writes.
const (
	FileJSON FileFormat = "json"
	FileYAML FileFormat = "yaml"
	FileTOML FileFormat = "toml"
)

// FormatOf returns the format that the ending of a file's name stands for: .yaml and .yml, or .toml. Every
// other name means JSON.
func FormatOf(path string) FileFormat {
	switch strings.ToLower(path[strings.LastIndexByte(path, '.')+1:]) {
	case "yaml", "yml":
		return FileYAML
	case "toml":
		return FileTOML
	}
	return FileJSON
}

// FileFormats lists the names of all formats, the default first.
func FileFormats() []string { return []string{string(FileJSON), string(FileYAML), string(FileTOML)} }

// File writes decoded hyperparameters as a file, for trainers that read a file instead of flags. It keeps
// their order and the text of their numbers. The error is a *ParamError for the first value that the format
// cannot hold: JSON has no NaN, TOML has no null.
func File(format FileFormat, params Params) ([]byte, error) {
	w := fileWriter{format: format}
	doc := params.Object()
	if format == FileJSON {
		w.writeValue(doc, "")
		w.out.WriteByte('\n')
	} else {
		for _, f := range doc.Fields {
			// YAML and TOML: one line for each hyperparameter. Lists and objects use YAML's flow style,
			// which needs one line only.
			w.writeString(f.Key, f.Key)
			w.out.WriteString(w.separator())
			w.writeValue(f.Value, f.Key)
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
	err    error // the first value that the format cannot hold
}

// refuse records that the format cannot hold a value of the named hyperparameter.
func (w *fileWriter) refuse(name, what string) {
	if w.err == nil {
		msg := fmt.Sprintf("%s cannot hold %s", strings.ToUpper(string(w.format)), what)
		w.err = &ParamError{Name: name, Msg: msg}
	}
}

// separator returns the text between a key and its value.
func (w *fileWriter) separator() string {
	if w.format == FileTOML {
		return " = "
	}
	return ": "
}

// writeString writes a string or a key, always in quotes. Name is the hyperparameter that it belongs to.
func (w *fileWriter) writeString(s, name string) {
	if HasSurrogate(s) && w.format != FileJSON {
		w.refuse(name, "half of a surrogate pair")
	}
	w.out.WriteString(w.quote(s))
}

// quote writes a string as JSON. YAML and TOML read that too, but each refuses some characters that JSON
// takes as they are. So quote escapes DEL, the C1 control characters, the separators that end a line in
// YAML, the byte order mark, U+FFFE and U+FFFF.
func (w *fileWriter) quote(s string) string {
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

func (w *fileWriter) writeValue(v Value, name string) {
	switch v.Kind {
	case Null:
		if w.format == FileTOML {
			w.refuse(name, "null")
		}
		w.out.WriteString("null")
	case Bool:
		w.out.WriteString(v.Text)
	case Int:
		if _, err := strconv.ParseInt(v.Text, 10, 64); err != nil && w.format == FileTOML {
			w.refuse(name, "a whole number of more than 64 bits")
		}
		w.out.WriteString(v.Text)
	case Float:
		w.out.WriteString(w.floatText(v.Text, name))
	case String:
		w.writeString(v.Text, name)
	case List:
		w.writeList(v.Items, name)
	case Object:
		w.writeObject(v.Fields, name)
	}
}

func (w *fileWriter) writeList(items []Value, name string) {
	w.out.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			w.out.WriteString(", ")
		}
		w.writeValue(item, name)
	}
	w.out.WriteByte(']')
}

// writeObject writes an object in one line. Name is the hyperparameter that it belongs to. The document
// itself has the name "", and then each key is the name of a hyperparameter.
func (w *fileWriter) writeObject(fields []Field, name string) {
	w.out.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			w.out.WriteString(", ")
		}
		name := cmp.Or(name, f.Key)
		w.writeString(f.Key, name)
		w.out.WriteString(w.separator())
		w.writeValue(f.Value, name)
	}
	w.out.WriteByte('}')
}

// floatText spells a number for the format. Python's loader reads YAML 1.1, where 1e5 is a string: a number
// needs a dot and a sign in front of its exponent.
func (w *fileWriter) floatText(text, name string) string {
	switch text {
	case "NaN", "Infinity", "-Infinity":
		return w.nonFiniteText(text, name)
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

// nonFiniteText spells NaN and the infinities for the format. JSON has no word for them.
func (w *fileWriter) nonFiniteText(text, name string) string {
	if w.format == FileJSON {
		w.refuse(name, text)
	}
	dot := ""
	if w.format == FileYAML {
		dot = "."
	}
	return map[string]string{"NaN": dot + "nan", "Infinity": dot + "inf", "-Infinity": "-" + dot + "inf"}[text]
}
