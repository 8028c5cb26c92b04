package channel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// FileConverter converts the file with this path.
type FileConverter func(path string, r io.Reader, w io.Writer) error

// Files converts one file after the other, and returns nil after the last one. If the reader of the output
// goes, Files also returns nil. If ctx ends, it returns the cause of ctx. An error of a file or of convert
// begins with the path.
func Files(ctx context.Context, paths []string, out *Output, convert FileConverter) (err error) {
	b, err := newBell(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	defer func() { err = out.finish(err, ctx.Err() != nil) }()
	if err := out.beginEpoch(ctx, false, nil); err != nil {
		return err
	}
	for _, path := range paths {
		err := convertFile(path, b.writer(ctx, nil, out), convert)
		_, isOutput := errors.AsType[*WriteError](err)
		switch {
		case errors.Is(err, errReaderGone):
			return nil
		case isOutput || ctx.Err() != nil:
			return err
		case err != nil:
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// convertFile converts one file.
func convertFile(path string, w io.Writer, convert FileConverter) error {
	f, err := os.Open(path)
	if err != nil {
		return reasonOf(err)
	}
	defer f.Close()
	return convert(path, f, w)
}

// reasonOf is the error of the system without the path, which a message names anyway.
func reasonOf(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

// CheckReading returns an error if one of the files at paths is the output too: opening a path empties it,
// and a file that grows as it is read has no end. output is the path; it is empty for standard output.
func CheckReading(paths []string, output string) error {
	name := "--output"
	out, err := os.Stat(output)
	if output == "" {
		name = "standard output"
		out, err = os.Stdout.Stat()
	}
	for _, path := range paths { // without an output there is nothing to compare with
		if in, inErr := os.Stat(path); err == nil && inErr == nil && os.SameFile(in, out) {
			return fmt.Errorf("%s: %s is this file too, expected another one", path, name)
		}
	}
	return nil
}

// CheckFiles returns an error for each path that is no file which can be read.
func CheckFiles(paths []string) error {
	var problems problemList
	for _, path := range paths {
		problems.add(checkObject(path, false))
	}
	return problems.err()
}
