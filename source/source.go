// Package source brings the user's code to the directory in which a job runs it.
//
// It takes plain values. What is fetched, and to where, is decided elsewhere.
package source

import "fmt"

// ArchiveError says why an archive is not unpacked.
type ArchiveError struct {
	Archive string // its path
	Entry   string // the name of the entry that is wrong; empty for the archive itself
	Reason  string // what is wrong, and what was expected
	Hint    string // empty for none
}

func (e *ArchiveError) Error() string {
	text := e.Archive + ": " + e.Reason
	if e.Entry != "" {
		text = fmt.Sprintf("%s: entry %q %s", e.Archive, e.Entry, e.Reason)
	}
	if e.Hint != "" {
		text += "\nhint: " + e.Hint
	}
	return text
}

// WriteError says that the code could not be written.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "unpacking the code: " + e.Err.Error() }
func (e *WriteError) Unwrap() error { return e.Err }

// Limits say how much an archive may hold. They are there for a mistake, such as data that was packed with
// the code, and for an archive that somebody has made to fill the disk.
type Limits struct {
	Bytes int64 // of all files together
	Count int   // of files, directories and links
	Ratio int64 // unpacked bytes for each byte of the archive
}
