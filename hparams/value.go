// Package hparams turns hyperparameters.json into the forms that a trainer reads: typed values in the order
// of the file, command-line words in several styles, the texts of SM_HP_* variables, and a file in JSON,
// YAML or TOML.
//
// It is pure: it does not touch the machine. Its output equals that of two programs byte for byte. The
// first is the SageMaker Training Toolkit, which decodes with Python's json.loads and prints with str() and
// json.dumps. The second is the set of container drivers in SDK v3. This needs a JSON reader of our own:
// the reader of Go's library loses the order of keys, the text of numbers, the place of a value, NaN, and
// lone surrogates.
package hparams

import (
	"math"
	"slices"
	"strconv"
)

// Kind is the type of a Value, as Python's json.loads decides it.
type Kind uint8

// The kinds. An Int has no fraction and no exponent. It may be larger than 64 bits.
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
	names := [...]string{"null", "a boolean", "a whole number", "a number", "a string", "a list", "an object"}
	return names[k]
}

// Value is one JSON value.
type Value struct {
	Kind Kind
	// Text is the decoded text of a String, the text of a number in the file, and "true" or "false" for a Bool.
	// NaN, Infinity and -Infinity are Floats. A String keeps a lone surrogate as the three bytes that UTF-8
	// would use for its number.
	Text string
	// Items holds the members of a List.
	Items []Value
	// Fields holds the members of an Object. As in a Python dict, each key occurs once: at its first place,
	// with its last value.
	Fields []Field
	// Pos is the offset of the value in its document, in bytes.
	Pos int
}

// Field is one member of an Object.
type Field struct {
	Key   string
	Pos   int // the offset of the key in its document, in bytes
	Value Value
}

// Str makes a String.
func Str(s string) Value { return Value{Kind: String, Text: s} }

// Num makes an Int.
func Num(n int) Value { return Value{Kind: Int, Text: strconv.Itoa(n)} }

// Truth makes a Bool.
func Truth(b bool) Value { return Value{Kind: Bool, Text: strconv.FormatBool(b)} }

// Strs makes a List of Strings. Its Items are never nil.
func Strs(items []string) Value {
	v := Value{Kind: List, Items: make([]Value, len(items))}
	for i, s := range items {
		v.Items[i] = Str(s)
	}
	return v
}

// Dict makes an Object. Its arguments take turns: a key as a string, then its Value.
func Dict(pairs ...any) Value {
	v := Value{Kind: Object, Fields: make([]Field, 0, len(pairs)/2)}
	for pair := range slices.Chunk(pairs, 2) {
		v.Fields = append(v.Fields, Field{Key: pair[0].(string), Value: pair[1].(Value)})
	}
	return v
}

// Get returns the value of a key in an Object, and whether the Object has that key.
func (v Value) Get(key string) (Value, bool) {
	for _, f := range v.Fields {
		if f.Key == key {
			return f.Value, true
		}
	}
	return Value{}, false
}

// Set gives a key of an Object a value. A new key becomes the last one.
func (v *Value) Set(key string, to Value) {
	for i := range v.Fields {
		if v.Fields[i].Key == key {
			v.Fields[i].Value = to
			return
		}
	}
	v.Fields = append(v.Fields, Field{Key: key, Value: to})
}

// SetAll sets one key after the other, as Set does. It reads the Object once, and not once for each key.
func (v *Value) SetAll(members []Field) {
	places := make(map[string]int, len(v.Fields)+len(members))
	for i, f := range v.Fields {
		places[f.Key] = i
	}
	for _, f := range members {
		if i, again := places[f.Key]; again {
			v.Fields[i].Value = f.Value
			continue
		}
		places[f.Key] = len(v.Fields)
		v.Fields = append(v.Fields, f)
	}
}

// Truthy returns Python's bool() of the value.
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

// float returns the number that Python's float() reads. A number that is too large for it is an infinity.
func (v Value) float() float64 {
	switch v.Text {
	case "NaN":
		return math.NaN()
	case "Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	f, _ := strconv.ParseFloat(v.Text, 64) // if it is out of range, f is ±Inf, as in Python
	return f
}
