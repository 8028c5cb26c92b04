package channel

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"golang.org/x/sys/unix"
)

// series is a row of FIFOs, one for each epoch, as readers of Pipe mode expect them.
type series struct {
	prefix string // the path of a FIFO without its number
	number int    // of the FIFO that is written
	made   int    // how many FIFOs have been made
}

// Prefix returns the output to the FIFOs PREFIX_0, PREFIX_1 and so on: each epoch gets one. Stream makes the
// first one, and each of the others as soon as a reader has opened the one before, as on the platform. At the
// end it removes all of them.
func Prefix(prefix string) *Output {
	s := &series{prefix: prefix}
	return &Output{fd: -1, chunk: math.MaxInt, isFIFO: true, path: s.path(0), series: s}
}

// path is the path of the FIFO with this number.
func (s *series) path(number int) string { return s.prefix + "_" + strconv.Itoa(number) }

// makeNext makes the FIFO after the one that is written, unless it is there already.
func (s *series) makeNext() error {
	if s.made > s.number+1 {
		return nil
	}
	path := s.path(s.made)
	err := removeFIFO(path) // an earlier process that was killed may have left it
	if err == nil {
		err = unix.Mkfifo(path, 0o644)
	}
	if err != nil {
		return &WriteError{Err: fmt.Errorf("making %s: %w", path, err)}
	}
	s.made++
	return nil
}

// next goes on to the next FIFO, and returns its path.
func (s *series) next() string {
	s.number++
	return s.path(s.number)
}

// remove removes all FIFOs.
func (s *series) remove() (err error) {
	for n := range s.made {
		err = errors.Join(err, withdrawFIFO(s.path(n)))
	}
	return err
}
