package contract

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"entrain/hparams"
)

// Epoch says of which Pipe channel, and of which of its epochs, a name in DataDir is the FIFO. Both channels and FIFOs may
// be called train_0: it is the contract that tells them apart, by the last underscore and never by what the name looks like.
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

// Channel is the channel of a name.
func (j *Job) Channel(name string) (Channel, bool) {
	for _, c := range j.Channels {
		if c.Name == name {
			return c, true
		}
	}
	return Channel{}, false
}

// checkNames finds channels whose directory is where the platform puts something of another channel.
func checkNames(d *document, j *Job) {
	for _, c := range j.Channels {
		if c.Mode == ModePipe {
			continue
		}
		if other, epoch, ok := j.Epoch(c.Name); ok {
			report := d.warn
			if epoch == 0 {
				report = d.fail
			}
			report(c.Pos, "rename one of the two", "channel %s: %s would be both its directory and the FIFO of epoch %d of channel %s",
				hparams.Quote(c.Name), j.ChannelPath(c), epoch, hparams.Quote(other.Name))
		}
	}
}

// checkFIFO looks at what is where a Pipe channel's first FIFO comes. Mostly it is not there yet.
func checkFIFO(d *document, j *Job, c Channel, data map[string]Entry) {
	name := c.Name + "_0"
	entry, there := data[name]
	if other, taken := j.Channel(name); !there || entry.Kind == KindFIFO || taken && other.Mode != ModePipe {
		return // what is wrong with two names for one place is said elsewhere
	}
	problem := entry.Problem
	if problem == "" {
		problem = "is no FIFO"
	}
	d.fail(c.Pos, "in Pipe mode the platform makes it; entrain scaffold --pipe does so elsewhere",
		"channel %s: %s_0 %s, expected a FIFO, or nothing yet", hparams.Quote(c.Name), j.ChannelPath(c), problem)
}

// whyMissing is the hint for a channel that has no directory.
func whyMissing(j *Job, c Channel, data map[string]Entry) string {
	if _, taken := j.Channel(c.Name + "_0"); data[c.Name+"_0"].Kind == KindFIFO && !taken {
		return "there is a FIFO " + c.Name + "_0: TrainingInputMode may have to be Pipe"
	}
	if near := nearestDir(j, c, data); near != "" {
		return "did you mean channel " + hparams.Quote(near) + "? there is a directory of that name"
	}
	return "mount the channel's data there, or take the channel out of " + InputDataFile
}

// nearestDir is the name of a directory beside a channel's that is missing, which no other channel has.
func nearestDir(j *Job, c Channel, data map[string]Entry) string {
	var dirs []string
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if _, taken := j.Channel(name); data[name].Kind == KindDir && !taken {
			dirs = append(dirs, name)
		}
	}
	return NearestName(c.Name, dirs)
}

// whyFile is the hint for a file in the place of a channel's directory: the platform writes the list of a channel's
// objects beside it.
func whyFile(j *Job, c Channel) string {
	base, found := strings.CutSuffix(c.Name, "-manifest")
	if other, is := j.Channel(base); found && is && other.Mode != ModePipe {
		return "it may be the list of the objects of channel " + hparams.Quote(base) + ", which the platform writes there: rename this channel"
	}
	return ""
}
