// Package hparams turns hyperparameters.json into what a trainer reads: typed values in the order of the
// file, command-line flags in five styles, SM_HP_* variables and a file in JSON, YAML or TOML.
//
// It is pure. Two dialects are held byte for byte: that of the SageMaker Training Toolkit, which decodes with
// Python's json.loads and prints with str() and json.dumps, and that of the SDK v3 container drivers. For their
// sake the package has its own JSON reader: the standard one loses the order of keys, the text of numbers, the
// place of a value, NaN, and lone surrogates.
package hparams

import (
	"math"
	"slices"
	"strconv"
)

// Kind is the type of a Value, as Python's json.loads would decide it.
type Kind uint8

// The kinds. An Int has no fraction and no exponent, and any size.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Object
)

func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a whole number", "a number", "a string", "a list", "an object"}[k]
}

// Value is one JSON value.
type Value struct {
	Kind Kind
	// Text is the decoded text of a String, the source text of a number (NaN and Infinity are Floats), and
	// "true" or "false" of a Bool. A lone surrogate is kept as the three bytes that UTF-8 would give it.
	Text string
	// Items are the members of a List.
	Items []Value
	// Fields are the members of an Object: each key once, at its first place, with its last value, as in a
	// Python dict.
	Fields []Field
	// Pos is the offset in bytes of the value in the document that it was read from.
	Pos int
}

// Field is one member of an Object.
type Field struct {
	Key   string
	Pos   int // of the key, in bytes
	Value Value
}

// Str makes a String.
func Str(s string) Value { return Value{Kind: String, Text: s} }

// Num makes an Int.
func Num(n int) Value { return Value{Kind: Int, Text: strconv.Itoa(n)} }

// Truth makes a Bool.
func Truth(b bool) Value { return Value{Kind: Bool, Text: strconv.FormatBool(b)} }

// Strs makes a List of Strings, never nil.
func Strs(items []string) Value {
	v := Value{Kind: List, Items: make([]Value, len(items))}
	for i, s := range items {
		v.Items[i] = Str(s)
	}
	return v
}

// Dict makes an Object of pairs of a string and a Value.
func Dict(pairs ...any) Value {
	v := Value{Kind: Object, Fields: make([]Field, 0, len(pairs)/2)}
	for pair := range slices.Chunk(pairs, 2) {
		v.Fields = append(v.Fields, Field{Key: pair[0].(string), Value: pair[1].(Value)})
	}
	return v
}

// Get is the value of a key of an Object.
func (v Value) Get(key string) (Value, bool) {
	for _, f := range v.Fields {
		if f.Key == key {
			return f.Value, true
		}
	}
	return Value{}, false
}

// Set gives a key of an Object a value: in its old place if it has one, else as the last.
func (v *Value) Set(key string, to Value) {
	for i := range v.Fields {
		if v.Fields[i].Key == key {
			v.Fields[i].Value = to
			return
		}
	}
	v.Fields = append(v.Fields, Field{Key: key, Value: to})
}

// Truthy is Python's bool() of the value.
func (v Value) Truthy() bool {
	switch v.Kind {
	case Bool:
		return v.Text == "true"
	case Int, Float:
		return v.float() != 0
	case String:
		return v.Text != ""
	case List:
		return len(v.Items) > 0
	case Object:
		return len(v.Fields) > 0
	default:
		return false
	}
}

// float is the number as Python's float() would read it: beyond the largest it is an infinity.
func (v Value) float() float64 {
	switch v.Text {
	case "NaN":
		return math.NaN()
	case "Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	f, _ := strconv.ParseFloat(v.Text, 64) // out of range gives ±Inf, which is what Python has
	return f
}
