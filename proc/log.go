package proc

// Log is an open descriptor for a log. Unlike an os.File it never raises SIGPIPE, and it drops what cannot be written:
// an init outlives the reader of its log.
type Log int

// Write is an io.Writer's.
func (l Log) Write(data []byte) (int, error) {
	_ = writeAll(int(l), data)
	return len(data), nil
}
