package channel

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
)

// Wrap writes size bytes of r as a record, with the bytes that delimit the record. If r has less bytes, the
// error is io.ErrUnexpectedEOF.
type Wrap func(w io.Writer, r io.Reader, size int64) error

// Source is what the platform streams in a Pipe channel.
type Source struct {
	Rows    [][]Piece // in the order of the platform; the pieces of a row stay together
	Wrap    Wrap      // makes a record of each piece; nil for no records
	Gzip    bool      // the objects are compressed, and the platform inflates them
	Shuffle bool      // each epoch has an order of its own, which Seed decides
	Seed    uint64
	Hosts   int // if it is more than 1, each of so many hosts gets a part of the rows
	Host    int // the number of this host, from 0
}

// Piece is an object, or a value of a manifest.
type Piece struct {
	Path string // the file of an object; empty for a value
	Data []byte // the value
}

// Fill writes one epoch.
func (s *Source) Fill(epoch int, w io.Writer) error {
	for n, i := range s.order(epoch) {
		if s.Hosts > 1 && n%s.Hosts != s.Host {
			continue
		}
		for _, piece := range s.Rows[i] {
			if err := s.write(w, piece); err != nil {
				return err
			}
		}
	}
	return nil
}

// Share returns how many rows this host gets in each epoch.
func (s *Source) Share() int {
	if s.Hosts <= 1 {
		return len(s.Rows)
	}
	return (len(s.Rows) + s.Hosts - 1 - s.Host) / s.Hosts
}

// order returns the numbers of the rows in the order of an epoch. With Shuffle, all hosts have the same
// order, so that together they stream each row once.
func (s *Source) order(epoch int) []int {
	order := make([]int, len(s.Rows))
	for i := range order {
		order[i] = i
	}
	if s.Shuffle {
		//nolint:gosec // the same seed must give the same order
		chance := rand.New(rand.NewPCG(s.Seed, uint64(epoch)))
		chance.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return order
}

// write writes a piece, as a record if there are records.
func (s *Source) write(w io.Writer, p Piece) error {
	switch {
	case p.Path != "" && s.Gzip:
		return s.writeInflated(w, p.Path)
	case p.Path != "":
		return s.writeObject(w, p.Path)
	case s.Wrap != nil:
		return s.Wrap(w, bytes.NewReader(p.Data), int64(len(p.Data)))
	}
	_, err := w.Write(p.Data)
	return err
}

// writeObject writes the bytes of a file.
func (s *Source) writeObject(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if s.Wrap == nil {
		_, err := io.CopyBuffer(w, onlyReader{f}, make([]byte, PipeSize))
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := s.Wrap(w, onlyReader{f}, info.Size()); errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: it has become shorter than %d bytes", path, info.Size())
	} else if err != nil {
		return err
	}
	return nil
}

// writeInflated writes what a compressed file holds. A record begins with its length, so for a record the
// file is inflated twice: nothing is held.
func (s *Source) writeInflated(w io.Writer, path string) error {
	if s.Wrap == nil {
		return inflate(path, func(r io.Reader) error {
			_, err := io.CopyBuffer(w, onlyReader{r}, make([]byte, PipeSize))
			return err
		})
	}
	var size int64
	err := inflate(path, func(r io.Reader) (err error) {
		size, err = io.Copy(io.Discard, r)
		return err
	})
	if err != nil {
		return err
	}
	return inflate(path, func(r io.Reader) error { return s.Wrap(w, r, size) })
}

// inflate calls read with what a compressed file holds.
func inflate(path string, read func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return &ManifestError{Err: fmt.Errorf("%s: %w", path, err)}
	}
	err = read(r)
	_, isCorrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &ManifestError{Err: fmt.Errorf("%s: the gzip data ends too early", path)}
	case isCorrupt, errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return &ManifestError{Err: fmt.Errorf("%s: the gzip data is damaged: %w", path, err)}
	}
	return err
}

// onlyReader hides the method WriteTo of an os.File, so that io.CopyBuffer uses its buffer.
type onlyReader struct{ io.Reader }
