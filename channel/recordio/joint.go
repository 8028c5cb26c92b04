package recordio

import (
	"encoding/binary"
	"fmt"
)

// parts holds the parts of one record until it is known what joins them. Before each part but the first it
// keeps four bytes: the length of the part. The magic can take the place of these bytes, so the record is
// held once whatever joins it.
type parts struct {
	data     record
	count    int64 // the number of parts
	first    int64 // the length of the first part
	previous int64 // the length of the part that came last
	odd      int64 // the length of the first part before the last one that is no multiple of four; else 0
	empty    bool  // a part before the last one is empty
}

// begin begins a part of size bytes.
func (p *parts) begin(size int64) {
	if p.count == 0 {
		p.first = size
	} else {
		_, _ = p.data.Write(binary.LittleEndian.AppendUint32(nil, uint32(size)))
		p.empty = p.empty || p.previous == 0
		if p.previous%4 != 0 && p.odd == 0 {
			p.odd = p.previous
		}
	}
	p.count++
	p.previous = size
}

// reset forgets the parts.
func (p *parts) reset() {
	p.data.reset()
	*p = parts{data: p.data}
}

// heldSize is a size in bytes that the record has at least, and that grows with the memory that it takes:
// parts without a byte take some, too.
func (p *parts) heldSize(joint Joint) int64 { return max(p.size(joint), p.data.size/2) }

// size is the number of bytes of the record with this joint.
func (p *parts) size(joint Joint) int64 {
	if joint == Magic || p.count == 0 {
		return p.data.size
	}
	return p.data.size - 4*(p.count-1)
}

// putMagic puts the magic between the parts.
func (p *parts) putMagic() {
	at := p.first
	for range p.count - 1 {
		size := int64(p.data.word(at))
		p.data.overwrite(at, magicBytes())
		at += 4 + size
	}
}

// each calls do with the bytes of the joined record, piece by piece. For the joint Magic, putMagic has been
// called.
func (p *parts) each(joint Joint, do func(piece []byte) error) error {
	if joint == Magic || p.count == 1 {
		return p.data.each(0, p.data.size, do)
	}
	at, size := int64(0), p.first
	for n := range p.count {
		if n > 0 {
			size = int64(p.data.word(at))
			at += 4
		}
		if err := p.data.each(at, at+size, do); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// writer returns what the parts say of their writer: Nothing or Magic. It returns Auto if they say nothing.
// dmlc-core cuts at multiples of four. A writer that cuts by size makes no empty part, except perhaps the
// last one, when it finds the end of the data.
func (p *parts) writer() Joint {
	switch {
	case p.odd != 0:
		return Nothing
	case p.empty:
		return Magic
	}
	return Auto
}

// chooser chooses the joint of each record, and tells of its choice once.
type chooser struct {
	Options
	known   Joint // what the first record that shows its writer has shown; empty before that record
	guessed Joint // the joint of the records before that one; empty if there was none
	told    map[string]bool
}

// choose returns Magic or Nothing for a record of several parts at an offset.
func (c *chooser) choose(p *parts, offset int64) Joint {
	shown := p.writer()
	if c.Joint != Auto && c.Joint != "" {
		if c.Joint == Magic && shown == Nothing {
			c.tell("refuted", true, offset, "a part before the last one has %d bytes, so dmlc-core has not written "+
				"it; --joint magic puts the magic behind it all the same", p.odd)
		}
		return c.Joint
	}
	if shown != Auto {
		c.learn(shown, p, offset)
		return shown
	}
	if c.known != "" {
		return c.known
	}
	if c.guessed = Nothing; c.Doubtful == Magic {
		c.guessed = Magic
	}
	c.tell("guess", true, offset, "the record is in parts, which dmlc-core or another writer may have made; "+
		"they are joined by %s\nhint: --joint magic for data that dmlc-core wrote (MXNet, XGBoost), "+
		"--joint nothing for any other writer", nameOf(c.guessed))
	return c.guessed
}

// learn takes notice of a record that shows its writer.
func (c *chooser) learn(shown Joint, p *parts, offset int64) {
	if c.known == "" {
		c.known = shown
	}
	why := fmt.Sprintf("one of them has %d bytes, so dmlc-core has not written it", p.odd)
	if shown == Magic {
		why = "one of them is empty, so dmlc-core has left out the magic there"
	}
	c.tell("known", false, offset, "the record is in parts, which are joined by %s: %s", nameOf(shown), why)
	switch {
	case c.guessed != "" && c.guessed != shown:
		c.tell("wrong", true, offset, "the parts of this record are joined by %s, but earlier ones by %s\n"+
			"hint: --joint %s, if one writer made all of them", nameOf(shown), nameOf(c.guessed), shown)
	case c.known != shown:
		c.tell("mixed", true, offset, "the parts of this record are joined by %s, but earlier ones by %s: "+
			"the stream has two writers", nameOf(shown), nameOf(c.known))
	}
}

// nameOf names a joint in a sentence.
func nameOf(j Joint) string {
	if j == Magic {
		return "the magic"
	}
	return string(j)
}

// tell tells something once.
func (c *chooser) tell(kind string, warning bool, offset int64, format string, args ...any) {
	if c.Tell == nil || c.told[kind] {
		return
	}
	if c.told == nil {
		c.told = map[string]bool{}
	}
	c.told[kind] = true
	c.Tell(Notice{Warning: warning, Msg: fmt.Sprintf("byte %d: ", offset) + fmt.Sprintf(format, args...)})
}
