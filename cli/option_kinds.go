//go:build linux

package cli

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"entrain/bootstrap"
)

// errEmpty is the error of an empty text.
var errEmpty = errors.New("must not be empty")

// text makes an option for a text that is not empty.
func text(name, valueName, usage string, to *string) *option {
	return &option{name: name, valueName: valueName, usage: usage, defaultValue: *to, set: func(s string) error {
		if s == "" {
			return errEmpty
		}
		*to = s
		return nil
	}}
}

// oneOf makes an option for one of the allowed words.
func oneOf[T ~string](name, valueName, usage string, to *T, allowed []string) cli.Flag {
	choices := strings.Join(allowed, ", ")
	o := &option{name: name, valueName: valueName, usage: usage + ": " + choices}
	o.defaultValue, o.values = string(*to), allowed
	o.set = func(s string) error {
		if !slices.Contains(allowed, s) {
			return errors.New("expected " + choices)
		}
		*to = T(s)
		return nil
	}
	return o
}

// choice makes an option for a bool that has a word for false and a word for true.
func choice(name, usage, wordForFalse, wordForTrue string, to *bool) cli.Flag {
	words := map[bool]string{false: wordForFalse, true: wordForTrue}
	values := []string{words[*to], words[!*to]}
	usage += ": " + strings.Join(values, ", ")
	o := &option{name: name, valueName: "WORD", usage: usage, defaultValue: words[*to], values: values}
	o.set = func(s string) error {
		if s != wordForFalse && s != wordForTrue {
			return errors.New("expected " + wordForFalse + " or " + wordForTrue)
		}
		*to = s == wordForTrue
		return nil
	}
	return o
}

// toggle makes a switch: the flag alone means true.
func toggle(name, usage string, to *bool) cli.Flag {
	return &option{name: name, usage: usage, set: func(s string) error {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return errors.New("expected true or false")
		}
		*to = b
		return nil
	}}
}

// duration makes an option for a duration above zero, or of at least zero where that is the default.
func duration(name, usage string, to *time.Duration) *option {
	o := &option{name: name, valueName: "DURATION", usage: usage, defaultValue: to.String()}
	allowsZero := *to == 0
	o.set = func(s string) error {
		d, err := time.ParseDuration(s)
		if isTooLong(s) {
			return errors.New("expected a duration of at most 2562047h, which is 292 years")
		}
		switch {
		case allowsZero && (err != nil || d < 0):
			return errors.New("expected a duration of at least 0s, such as 90s or 15m")
		case !allowsZero && (err != nil || d <= 0):
			return errors.New("expected a duration above zero such as 90s or 15m")
		}
		*to = d
		return nil
	}
	return o
}

// isTooLong says whether a text is a duration that a time.Duration cannot hold.
func isTooLong(text string) bool {
	_, err := time.ParseDuration(text)
	isDuration := regexp.MustCompile(`^\+?([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`)
	return err != nil && isDuration.MatchString(text)
}

// count makes an option for a number of at least 1.
func count(name, usage string, to *int) cli.Flag {
	return countUpTo(math.MaxInt32, "", name, usage, to)
}

// countUpTo makes an option for a number of at least 1 and at most the given one. The reason says where that
// bound comes from.
func countUpTo(most int, reason, name, usage string, to *int) cli.Flag {
	o := &option{name: name, valueName: "N", usage: usage, set: func(s string) error {
		n, err := strconv.Atoi(s)
		if n > most {
			return fmt.Errorf("expected a whole number from 1 to %d%s", most, reason)
		}
		if err != nil || n < 1 {
			return errors.New("expected a whole number of at least 1")
		}
		*to = n
		return nil
	}}
	if *to > 0 {
		o.defaultValue = strconv.Itoa(*to)
	}
	return o
}

// natural makes an option for a number of at least 0.
func natural(name, usage string, to *int) cli.Flag {
	o := &option{name: name, valueName: "N", usage: usage, defaultValue: strconv.Itoa(*to)}
	o.set = func(s string) error {
		n, err := strconv.ParseUint(s, 10, 31)
		switch {
		case errors.Is(err, strconv.ErrRange):
			return fmt.Errorf("expected a whole number from 0 to %d", math.MaxInt32)
		case err != nil:
			return errors.New("expected a whole number of at least 0")
		}
		*to = int(n)
		return nil
	}
	return o
}

// size makes an option for a number of bytes above zero, such as 4096, 64KiB, 512MiB or 2GiB.
func size(name, usage string, to *int64) cli.Flag {
	o := &option{name: name, valueName: "SIZE", usage: usage, defaultValue: sizeText(*to)}
	o.set = func(s string) error {
		digits := strings.TrimRight(s, "KMGTiB")
		shift, known := map[string]uint{"": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}[s[len(digits):]]
		n, err := strconv.ParseInt(digits, 10, 64)
		if known && (errors.Is(err, strconv.ErrRange) || err == nil && n > math.MaxInt64>>shift) {
			return errors.New("expected at most 8388607TiB")
		}
		if err != nil || !known || n < 1 {
			return errors.New("expected a number of bytes above zero such as 4096, 64KiB, 512MiB or 2GiB")
		}
		*to = n << shift
		return nil
	}
	return o
}

// sizeText is a number of bytes in the largest unit that leaves no fraction.
func sizeText(n int64) string {
	units := []string{"", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for n%1024 == 0 && n > 0 && i < len(units)-1 {
		n, i = n/1024, i+1
	}
	return strconv.FormatInt(n, 10) + units[i]
}

// port makes an option for the number of a TCP port.
func port(name, usage string, to *int) cli.Flag {
	o := &option{name: name, valueName: "N", usage: usage, defaultValue: strconv.Itoa(*to)}
	o.set = func(s string) error {
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil || n == 0 {
			return errors.New("expected a port number from 1 to 65535")
		}
		*to = int(n)
		return nil
	}
	return o
}

// signalOption makes an option for a signal, by its name or number.
func signalOption(name, usage string, to *int) cli.Flag {
	return &option{name: name, valueName: "SIGNAL", usage: usage, set: func(s string) error {
		n, err := bootstrap.ParseSignal(s)
		*to = n
		return err
	}}
}
