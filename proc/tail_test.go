package proc

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// shown is what a terminal shows of a stream, and the position of the oldest byte that a tail may keep.
func shown(stream []byte) (kept []byte, oldest int) {
	line, returned := 0, false
	for _, b := range stream {
		switch {
		case returned && b == '\r':
			continue
		case returned && b != '\n':
			kept, oldest = kept[:line], min(oldest, line)
		}
		kept = append(kept, b)
		oldest = max(oldest, len(kept)-tailSize)
		if returned = b == '\r'; b == '\n' {
			line = len(kept)
		}
	}
	return kept, oldest
}

// Whatever the sizes of the pieces, tail keeps the last bytes in their order, without those that were
// overwritten.
func TestTailKeepsTheEndOfAStream(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 120 {
		var all []byte
		kept := newTail("")
		for range r.IntN(30) {
			piece := make([]byte, r.IntN(2*tailSize/(1+r.IntN(20))))
			for i := range piece {
				piece[i] = byte(r.Uint32())
				if round%2 == 0 && (piece[i] == '\r' || piece[i] == '\n') && r.IntN(500) > 0 {
					piece[i] = 'x' // long lines
				}
			}
			all = append(all, piece...)
			kept.add(piece)
		}
		want, oldest := shown(all)
		if want = want[oldest:]; !bytes.Equal(want, kept.bytes()) {
			t.Fatalf("round %d: of %d bytes the last %d are wrong", round, len(all), len(want))
		}
	}
}

// The bytes that a tail has given do not change while more come.
func TestTailGivesCopies(t *testing.T) {
	kept := newTail("")
	kept.add(bytes.Repeat([]byte("a"), tailSize))
	kept.add([]byte("a"))
	early := kept.bytes()
	kept.add(bytes.Repeat([]byte("b"), tailSize))
	if bytes.ContainsRune(early, 'b') {
		t.Error("it gives the ring's own bytes")
	}
}

// Neither much output nor a progress bar pushes out the text after the last marker, wherever that is in a
// piece. Memory stays bounded.
func TestTailKeepsTheMarkedText(t *testing.T) {
	const marker = "Traceback (most recent call last):"
	log := strings.Repeat("10:00 INFO saving\n", 10<<20/18)
	var bar strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&bar, "\rtrain: %d/3000 [00:00<00:00, 1000it/s]", i)
	}
	report := "[rank1]: " + marker + "\n[rank1]:   File \"x\"\n[rank1]: ValueError: bad\n"
	early := "early\n" + marker + "\nKeyError: old\n" + log[:markedSize]
	for what, after := range map[string]string{
		"a log": log, "a progress bar": bar.String(), "both": bar.String() + "\n" + log,
	} {
		for _, size := range []int{1, 7, 4096, 128 << 10} {
			if size < 4096 && what != "a progress bar" {
				continue
			}
			kept := newTail(marker)
			for data := []byte(early + report + after); len(data) > 0; {
				n := min(size, len(data))
				kept.add(data[:n])
				data = data[n:]
			}
			got := kept.bytes()
			hasBoth := bytes.Contains(got, []byte(report)) && bytes.HasSuffix(got, []byte(after[len(after)-20:]))
			if !hasBoth || len(got) > tailSize+markedSize+1 {
				t.Errorf("%s, pieces of %d: %d bytes: %.100q", what, size, len(got), got)
			}
			if bytes.Contains(got, []byte("1500/3000")) {
				t.Errorf("%s: it keeps text that was overwritten", what)
			}
		}
	}
}

// BenchmarkTail measures what it costs to keep the end of stderr.
func BenchmarkTail(b *testing.B) {
	for name, text := range map[string]string{
		"log": "2026-01-01 10:00:00 INFO step 17 loss 0.123\n",
		"bar": "\rtrain:  39%|███▉      | 392/1000 [00:00<00:00, 3898.95it/s]",
	} {
		b.Run(name, func(b *testing.B) {
			data := []byte(strings.Repeat(text, 128<<10/len(text)))
			kept := newTail("Traceback (most recent call last):")
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				kept.add(data)
			}
		})
	}
}
