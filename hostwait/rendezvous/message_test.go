package rendezvous

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzHello: every hello that readHello accepts keeps the bounds.
func FuzzHello(f *testing.F) {
	good, _ := json.Marshal(hello{
		Protocol: 1, Instance: "i", Member: Member{Host: "h"}, Ended: &ended{Code: 1, Text: "t"},
	})
	f.Add(good)
	f.Add([]byte(`{"host":"h","instance":"i","pending":["a"],"hold":9e18}`))
	f.Add([]byte(`{"host":"h","instance":"i",` +
		`"fault":{"host":"g","code":0,"text":"g is none of this job's hosts","age":5}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := readHello(bytes.NewReader(data), &Config{Printable: printable})
		if err != nil {
			return
		}
		if h.Host == "" || len(h.Host) > maxWord || h.Slots < 0 || milliseconds(h.Hold) < 0 {
			t.Errorf("%+v", h)
		}
		if h.Ended != nil && (h.Ended.Code > 255 || len(h.Ended.Text) > maxText) {
			t.Errorf("%+v", h)
		}
		if h.Fault != nil && h.Fault.Code == 0 {
			t.Errorf("a fault with code 0: %+v", h.Fault)
		}
		if strings.ContainsAny(h.Host+h.Version+h.Mode+strings.Join(h.Pending, ""), "\x00\n\r\x1b") {
			t.Errorf("%q", h.Host)
		}
	})
}

// FuzzOneLine: every text of oneLine is printable and within its bound.
func FuzzOneLine(f *testing.F) {
	f.Add("a\nb")
	c := Config{Printable: printable}
	f.Fuzz(func(t *testing.T, s string) {
		if got := c.oneLine(strings.Repeat(s, 40)); len(got) > maxText || !c.isPrintable(got) {
			t.Errorf("%q", got)
		}
	})
}
