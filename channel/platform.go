package channel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Platform is the other side of a channel: it makes the FIFOs and fills them.
type Platform struct {
	Prefix string        // the path of a FIFO without its epoch
	Epochs int           // the number of epochs; 0 for no limit
	Late   time.Duration // the longest delay of a FIFO; about every other FIFO is late
	Seed   uint64        // decides which FIFOs are late, and by how much
	// Fill writes one epoch. It may be called for an epoch before it has returned for the one before.
	Fill func(epoch int, w io.Writer) error
}

// Serve makes the FIFOs and fills them. It makes the next one as soon as a reader has opened the one before,
// and fills each one that has a reader: some readers open the next FIFO before they close the last one. Like
// the platform it leaves a FIFO in place after it was read. It removes all of them when it ends. If ctx ends,
// Serve returns the cause of ctx.
func Serve(ctx context.Context, p Platform) (err error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	b, err := newBell(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	var epochs sync.WaitGroup
	made, err := p.makeFIFOs(ctx, func(epoch int, begun func()) {
		epochs.Go(func() {
			if err := p.epoch(ctx, b, epoch, begun); err != nil {
				fail(err)
			}
		})
	})
	epochs.Wait() // also after an error: the readers of these epochs get all of their data
	err = cmp.Or(context.Cause(ctx), err)
	for n := range made {
		err = errors.Join(err, removeFIFO(p.fifo(n)))
	}
	return err
}

// makeFIFOs makes one FIFO after the other, and calls start for each. The function start gets a function
// that it calls when a reader has opened the FIFO. makeFIFOs returns how many FIFOs it has made.
func (p *Platform) makeFIFOs(ctx context.Context, start func(epoch int, begun func())) (made int, err error) {
	chance := rand.New(rand.NewPCG(p.Seed, 0)) //nolint:gosec // the same seed must give the same delays
	for ; p.Epochs == 0 || made < p.Epochs; made++ {
		if err := p.delay(ctx, chance); err != nil {
			return made, err
		}
		err := removeFIFO(p.fifo(made))
		if err == nil {
			err = unix.Mkfifo(p.fifo(made), 0o644)
		}
		if err != nil {
			return made, &WriteError{Err: fmt.Errorf("making %s: %w", p.fifo(made), err)}
		}
		begun := make(chan struct{})
		start(made, func() { close(begun) })
		select {
		case <-begun:
		case <-ctx.Done():
			return made + 1, context.Cause(ctx)
		}
	}
	return made, nil
}

// fifo is the path of the FIFO of an epoch.
func (p *Platform) fifo(epoch int) string { return p.Prefix + "_" + strconv.Itoa(epoch) }

// delay waits as long as the next FIFO is late.
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

// epoch fills one FIFO and waits until its reader has closed it. It calls begun once the FIFO has a reader.
func (p *Platform) epoch(ctx context.Context, b *bell, number int, begun func()) error {
	path := p.fifo(number)
	closed, err := watchClose(path)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(closed) }()
	fd, err := openWriter(ctx, path)
	if err != nil {
		return err
	}
	begun()
	enlargePipe(fd)
	o := &Output{fd: fd, owned: true, chunk: PipeSize}
	discardEvents(closed) // a reader that opened and closed the FIFO before it had a writer has read nothing
	err = p.Fill(number, b.writer(ctx, nil, o))
	// The reader may have closed the FIFO before discardEvents, which then has discarded that event.
	early := errors.Is(err, errReaderGone) || isReaderGone(fd)
	if errors.Is(err, errReaderGone) {
		err = nil
	}
	if err = errors.Join(err, o.close()); err != nil || early {
		return err
	}
	_, err = b.wait(ctx, readable(closed))
	return err
}

// watchClose returns a descriptor that becomes readable when a reader closes a file. It uses inotify(7),
// because a reader would notice another process that opens the file to look for readers.
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

// discardEvents reads the events that have come, and forgets them.
func discardEvents(fd int) {
	events := make([]byte, 4096)
	for n, err := 1, error(nil); n > 0 && err == nil; {
		n, err = unix.Read(fd, events)
	}
}

// removeFIFO removes a FIFO, which an earlier run that was killed may have left. It refuses any other
// file. A path that does not exist is no error.
func removeFIFO(path string) error {
	var info unix.Stat_t
	if err := unix.Lstat(path, &info); errors.Is(err, unix.ENOENT) {
		return nil
	}
	if !hasFIFOMode(info) {
		return errors.New("it exists and is not a FIFO")
	}
	return unix.Unlink(path)
}
