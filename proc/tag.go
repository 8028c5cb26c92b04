package proc

import (
	"bytes"
	"errors"
	"sync"

	"golang.org/x/sys/unix"
)

// maxTaggedLine is how many bytes of a line are held back until its end comes. A longer line is passed on in
// pieces.
const maxTaggedLine = 1 << 20

// tagger puts a tag in front of each line of a program. It holds a line back until its end has come, so that
// no line is torn where several programs write to the same place. As on a terminal, text behind a carriage
// return takes the place of the text before it.
type tagger struct {
	tag      string
	line     []byte // the line that has not ended
	returned bool   // the last byte was a carriage return
}

// add takes the next bytes of the program, and returns the lines that have ended.
func (t *tagger) add(data []byte) (lines []byte) {
	for len(data) > 0 {
		if t.returned && data[0] != '\n' && data[0] != '\r' {
			t.line = t.line[:0]
		}
		n := bytes.IndexAny(data, "\r\n")
		if n < 0 {
			t.returned = false
			t.line = append(t.line, data...)
			break
		}
		t.returned = data[n] == '\r'
		t.line = append(t.line, data[:n]...)
		if data[n] == '\n' {
			lines = t.endLine(lines)
		}
		data = data[n+1:]
	}
	if len(t.line) > maxTaggedLine {
		lines = t.endLine(lines)
	}
	return lines
}

// endLine adds the line to others, and begins the next one.
func (t *tagger) endLine(lines []byte) []byte {
	lines = append(append(append(lines, t.tag...), t.line...), '\n')
	t.line = t.line[:0]
	return lines
}

// outputs are the captures of a program. Stdout is the program's own unless it gets a tag.
type outputs struct{ stdout, stderr *capture }

// newOutputs makes the captures of a program that gets a tag; an empty tag stands for none. Programs that
// write to the same place share a lock.
func newOutputs(o *Options, tag string, shared *sync.Mutex, off bool) (outputs, error) {
	var err error
	all := outputs{stdout: &capture{fd: stdoutFd, unseen: true}}
	if tag == "" {
		all.stderr, err = newCapture(off, o.Marker, o.PipeSize)
		if err == nil {
			all.stderr.shared, all.stderr.Listener = shared, o.Listener
		}
		return all, err
	}
	all.stderr = &capture{
		tail: newTail(o.Marker), size: o.PipeSize, piece: wholePiece, unseen: off, fd: stderrFd,
		Listener: o.Listener,
	}
	for _, c := range []*capture{all.stdout, all.stderr} {
		c.tags, c.shared, c.piece = &tagger{tag: tag}, shared, wholePiece
		err = errors.Join(err, c.open())
	}
	return all, err
}

const stdoutFd = 1

// files are the descriptors that the program gets beside its stdin.
func (a outputs) files(stdin uintptr) [3]uintptr {
	return [3]uintptr{stdin, a.stdout.childFd(), a.stderr.childFd()}
}

// readInPieces says how many bytes are read at once.
func (a outputs) readInPieces(size int) { a.stdout.piece, a.stderr.piece = size, size }

// start begins to copy, once the program has its ends of the pipes.
func (a outputs) start() {
	a.stdout.start()
	a.stderr.start()
}

// finish waits until everything that was written is passed on: see capture.finish.
func (a outputs) finish() error { return errors.Join(a.stdout.finish(), a.stderr.finish()) }

// Listener follows what a program writes to stderr. Without capture it hears nothing. Both functions may be
// nil.
type Listener struct {
	// Listen is called at the start, with a function that returns the end of stderr so far, and the descriptor
	// from which stderr is read.
	Listen func(said func() []byte, pipe int)
	Heed   func(piece []byte) // gets each piece before it is passed on
}

// isReaderGone says whether an error of a write means that nobody will read again. The trainer must not
// notice that. A full disk is no such error, since it may have room later.
func isReaderGone(err error) bool { return errors.Is(err, unix.EPIPE) || errors.Is(err, unix.EBADF) }
