package cause

import "encoding/json"

// ErrorFile returns the message of an error file, as torch's @record writes it to TORCHELASTIC_ERROR_FILE
// (torch/distributed/elastic/multiprocessing/errors). It is empty if the file holds none.
func ErrorFile(data []byte) string {
	var file struct {
		Message json.RawMessage `json:"message"`
	}
	if json.Unmarshal(data, &file) != nil {
		return ""
	}
	var told struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(file.Message, &told) == nil {
		return told.Message
	}
	var text string // as older versions write it
	_ = json.Unmarshal(file.Message, &text)
	return text
}
