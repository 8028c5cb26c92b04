package contract

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"entrain/hparams"
)

// Epoch takes the name of a FIFO in DataDir apart: CHANNEL_EPOCH. It is false for a name that is no FIFO of a
// Pipe channel. A channel too may be called train_0, so the name alone cannot tell: the part before the last
// underscore must be a Pipe channel of the job.
func (j *Job) Epoch(name string) (c Channel, epoch int, ok bool) {
	i := strings.LastIndexByte(name, '_')
	if i < 0 {
		return Channel{}, 0, false
	}
	n, err := strconv.Atoi(name[i+1:])
	if err != nil || n < 0 || strconv.Itoa(n) != name[i+1:] {
		return Channel{}, 0, false
	}
	c, ok = j.Channel(name[:i])
	return c, n, ok && c.Mode == ModePipe
}

// Channel returns the channel of a name, and whether the job has it.
func (j *Job) Channel(name string) (Channel, bool) {
	i, ok := j.places[name]
	if !ok {
		return Channel{}, false
	}
	return j.Channels[i], true
}

// checkNameClashes reports each channel whose directory has the path of another channel's FIFO. It is an
// error for the first epoch, which always comes. A later epoch may not come, so it is a warning.
func checkNameClashes(d *document, j *Job) {
	for _, c := range j.Channels {
		if c.Mode == ModePipe {
			continue
		}
		if other, epoch, ok := j.Epoch(c.Name); ok {
			report := d.warn
			if epoch == 0 {
				report = d.fail
			}
			report(c.Pos, "rename one of the two",
				"channel %s: %s would be both its directory and the FIFO of epoch %d of channel %s",
				hparams.Quote(c.Name), j.ChannelPath(c), epoch, hparams.Quote(other.Name))
		}
	}
}

// checkFIFO reports a file or directory that has the path of a Pipe channel's first FIFO, a FIFO that cannot
// be read, and a directory that has the channel's name. Usually there is nothing at these paths yet.
func checkFIFO(d *document, j *Job, c Channel, s *Snapshot, unreadable map[string][]string) {
	name := c.Name + "_0"
	entry, exists := s.Data[name]
	checkReadable(d, j, c, s, unreadable)
	if !exists {
		checkNoDir(d, j, c, s)
		return
	}
	if other, taken := j.Channel(name); entry.Kind == KindFIFO || taken && other.Mode != ModePipe {
		return // checkNameClashes reports the path that another channel has too
	}
	problem := entry.Problem
	if problem == "" {
		problem = "is no FIFO"
	}
	d.fail(c.Pos, "in Pipe mode the platform makes it; entrain scaffold --pipe does so elsewhere",
		"channel %s: %s_0 %s, expected a FIFO, or nothing yet", hparams.Quote(c.Name), j.ChannelPath(c), problem)
}

// unreadableFIFOs returns the names of the FIFOs that cannot be read, by the names of their channels.
func unreadableFIFOs(j *Job, s *Snapshot) map[string][]string {
	found := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(s.Data)) {
		entry := s.Data[name]
		if of, _, ok := j.Epoch(name); ok && entry.Kind == KindFIFO && entry.Problem != "" {
			found[of.Name] = append(found[of.Name], name)
		}
	}
	return found
}

// checkReadable reports the FIFOs of a channel that cannot be read.
func checkReadable(d *document, j *Job, c Channel, s *Snapshot, unreadable map[string][]string) {
	for _, name := range unreadable[c.Name] {
		d.fail(c.Pos, fmt.Sprintf("user %d needs permission to read it", s.UID),
			"channel %s: the FIFO %s/%s %s", hparams.Quote(c.Name), j.DataDir(), name, s.Data[name].Problem)
	}
}

// checkNoDir warns of a directory that has the name of a Pipe channel without a FIFO: the trainer would wait
// for a FIFO while its data is in the directory. It also reports a data directory that may not be searched:
// nobody finds a FIFO there.
func checkNoDir(d *document, j *Job, c Channel, s *Snapshot) {
	entry := s.Data[c.Name]
	if entry.Kind == KindOther && strings.HasSuffix(entry.Problem, "permission denied") {
		const hint = "user %d needs permission to search %s and the directories above it"
		d.fail(c.Pos, fmt.Sprintf(hint, s.UID, j.DataDir()),
			"channel %s: the FIFO %s_0 %s", hparams.Quote(c.Name), j.ChannelPath(c), entry.Problem)
	}
	if entry.Kind != KindDir {
		return
	}
	d.warn(c.Pos, "if the data is in the directory, TrainingInputMode has to be File or FastFile",
		"channel %s: %s is a directory, expected FIFOs %s_0 and so on in Pipe mode",
		hparams.Quote(c.Name), j.ChannelPath(c), c.Name)
}

// hintForMissingDir returns the hint for a channel without a directory.
func hintForMissingDir(d *document, j *Job, c Channel, data map[string]Entry) string {
	if _, taken := j.Channel(c.Name + "_0"); data[c.Name+"_0"].Kind == KindFIFO && !taken {
		return "there is a FIFO " + c.Name + "_0: TrainingInputMode may have to be Pipe"
	}
	if near := nearestDir(d, j, c, data); near != "" {
		return "did you mean channel " + hparams.Quote(near) + "? there is a directory of that name"
	}
	return "mount the channel's data there, or take the channel out of " + InputDataFile
}

// nearestDir returns the directory with the name most similar to that of a channel. It leaves out the
// directories of other channels.
func nearestDir(d *document, j *Job, c Channel, data map[string]Entry) string {
	if d.compared += len(data); d.compared > maxCompared {
		return ""
	}
	var dirs []string
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if _, taken := j.Channel(name); data[name].Kind == KindDir && !taken {
			dirs = append(dirs, name)
		}
	}
	return NearestName(c.Name, dirs)
}

// hintForFile returns the hint for a file that has the path of a channel's directory. The platform writes a
// list of a channel's objects as CHANNEL-manifest, so a channel of that name clashes with it.
func hintForFile(j *Job, c Channel) string {
	base, found := strings.CutSuffix(c.Name, "-manifest")
	if other, ok := j.Channel(base); found && ok && other.Mode != ModePipe {
		return "it may be the list of the objects of channel " + hparams.Quote(base) +
			", which the platform writes there: rename this channel"
	}
	return ""
}
