package contract

import (
	"net/url"
	"slices"
	"strings"

	"entrain/hparams"
)

// spellings lists the forms that a value may have in a text: as it is, in JSON with and without letters
// beyond ASCII, as Python shows it, and in a URL.
func spellings(value string) []string {
	v := hparams.Str(value)
	spelt := []string{value, strings.TrimSpace(value), url.QueryEscape(value), url.PathEscape(value)}
	for _, dialect := range []hparams.Dialect{hparams.PlainJSON(), hparams.ToolkitJSON()} {
		quoted := hparams.JSON(v, dialect)
		spelt = append(spelt, quoted[1:len(quoted)-1])
	}
	if strings.ContainsAny(value, "\\'\n\r\t") {
		repr := hparams.PythonText(hparams.Value{Kind: hparams.List, Items: []hparams.Value{v}})
		spelt = append(spelt, repr[2:len(repr)-2])
	}
	if decoded, err := url.PathUnescape(value); err == nil {
		spelt = append(spelt, decoded)
	}
	return spelt
}

// parts lists the parts of a value that a text may show alone: the lines of a key, and the word after a
// scheme such as Bearer.
func parts(value string) []string {
	var found []string
	schemes := []string{"bearer", "basic", "token"}
	if scheme, rest, ok := strings.Cut(value, " "); ok && slices.Contains(schemes, strings.ToLower(scheme)) {
		found = append(found, rest)
	}
	if lines := strings.Split(value, "\n"); len(lines) > 1 {
		for _, line := range lines {
			if line = strings.TrimSpace(line); len(line) >= 2*shortestPart {
				found = append(found, line)
			}
		}
	}
	return found
}
