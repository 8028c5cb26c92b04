package channel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Platform is the other side of a channel: what makes its FIFOs and fills them.
type Platform struct {
	Prefix string // of the FIFOs
	Epochs int    // how many; 0 for as many as are read
	// Late is how long a FIFO may be late: every other one is, on the average, by as long as Seed says.
	Late time.Duration
	Seed uint64
	Fill func(w io.Writer) error // writes one epoch
}

// Serve makes one FIFO after the other, the next one only after a reader has closed the one before. It takes away none
// that was read, as the platform does; all of them go at the end.
func Serve(ctx context.Context, p Platform) (err error) {
	b, err := newBell(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	chance := rand.New(rand.NewPCG(p.Seed, 0)) //nolint:gosec // it is to be the same each time
	made := 0
	defer func() {
		for n := range made {
			err = errors.Join(err, removeFIFO(p.fifo(n)))
		}
	}()
	for ; p.Epochs == 0 || made < p.Epochs; made++ {
		if err := p.delay(ctx, chance); err != nil {
			return err
		}
		err := removeFIFO(p.fifo(made))
		if err == nil {
			err = unix.Mkfifo(p.fifo(made), 0o644)
		}
		if err != nil {
			return &WriteError{Err: fmt.Errorf("making %s: %w", p.fifo(made), err)}
		}
		if err := p.epoch(ctx, b, p.fifo(made)); err != nil {
			made++
			return err
		}
	}
	return nil
}

func (p *Platform) fifo(epoch int) string { return p.Prefix + "_" + strconv.Itoa(epoch) }

func (p *Platform) delay(ctx context.Context, chance *rand.Rand) error {
	late := chance.IntN(2) == 1
	by := time.Duration(chance.Float64() * float64(p.Late))
	if !late || p.Late == 0 {
		return nil
	}
	timer := time.NewTimer(by)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// epoch fills one FIFO and waits until its reader has closed it.
func (p *Platform) epoch(ctx context.Context, b *bell, path string) error {
	closed, err := watchClose(path)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(closed) }()
	fd, err := openWriter(ctx, path)
	if err != nil {
		return err
	}
	enlarge(fd)
	o := &Output{fd: fd, own: true, chunk: pipeSize}
	drain(closed) // of who only looked whether there is anything
	err = p.Fill(b.writer(ctx, o))
	fds := []unix.PollFd{watched(fd)}
	early := errors.Is(err, errGone) || isReady(fds) && isGone(fds[0]) // also of one whose close was drained
	if errors.Is(err, errGone) {
		err = nil
	}
	if err = errors.Join(err, o.close()); err != nil || early {
		return err
	}
	_, err = b.wait(ctx, readable(closed))
	return err
}

// watchClose gives a descriptor that becomes readable when a reader closes a file. To look for readers by opening it would
// be seen by them.
func watchClose(path string) (int, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return -1, fmt.Errorf("watching %s: %w", path, err)
	}
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_CLOSE_NOWRITE); err != nil {
		return -1, errors.Join(fmt.Errorf("watching %s: %w", path, err), unix.Close(fd))
	}
	return fd, nil
}

// drain takes the events that have come.
func drain(fd int) {
	events := make([]byte, 4096)
	for n, err := 1, error(nil); n > 0 && err == nil; {
		n, err = unix.Read(fd, events)
	}
}

// removeFIFO removes a FIFO, of an earlier run that was killed too, and nothing else.
func removeFIFO(path string) error {
	var info unix.Stat_t
	if err := unix.Lstat(path, &info); errors.Is(err, unix.ENOENT) {
		return nil
	}
	if info.Mode&unix.S_IFMT != unix.S_IFIFO {
		return errors.New("it exists and is not a FIFO")
	}
	return unix.Unlink(path)
}
