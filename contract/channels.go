package contract

import (
	"path"
	"slices"
	"strings"

	"entrain/hparams"
)

// Mode says how a channel's data reaches the container.
type Mode string

// The modes of TrainingInputMode.
const (
	ModeFile     Mode = "File"
	ModeFastFile Mode = "FastFile"
	ModePipe     Mode = "Pipe"
)

// Channel is one entry of inputdataconfig.json.
type Channel struct {
	Name         string
	Mode         Mode   // File by default
	ContentType  string // empty if unset
	Distribution string // FullyReplicated or ShardedByS3Key; empty if unset
	Wrapper      string // None or RecordIO; empty if unset
	Pos          int    // where its name stands in inputdataconfig.json, as an offset in bytes
}

// The platform's limits on channels (CreateTrainingJob).
const (
	maxChannels    = 20
	maxChannelName = 64
	maxContentType = 256
)

func loadChannels(d *document, doc hparams.Value, job *Job) {
	job.InputData = doc
	if n := len(doc.Fields); n > maxChannels {
		d.warn(doc.Fields[maxChannels].Pos, "", "%d channels, the platform takes at most %d", n, maxChannels)
	}
	for _, f := range doc.Fields {
		if !hparams.IsWord(f.Key, ".-_") || len(f.Key) > maxChannelName || f.Key == "." || f.Key == ".." {
			d.fail(f.Pos, "", "channel name %s, expected 1 to %d of letters, digits and . - _",
				hparams.Quote(f.Key), maxChannelName)
			continue
		}
		if f.Value.Kind == hparams.Null || d.expectKind(f.Value, hparams.Object, "channel "+hparams.Quote(f.Key)) {
			job.places[f.Key] = len(job.Channels)
			job.Channels = append(job.Channels, loadChannel(d, f))
		}
	}
}

// ChannelNames returns the channels of an inputdataconfig.json that is not checked yet. It leaves out names
// that cannot be a directory's, and returns none for a file that is no JSON.
func ChannelNames(file File) []string {
	doc, _, err := hparams.Parse(string(file.Data))
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range doc.Fields {
		if !strings.ContainsAny(f.Key, "/\x00") {
			names = append(names, f.Key)
		}
	}
	return names
}

func loadChannel(d *document, f hparams.Field) Channel {
	prefix := "channel " + hparams.Quote(f.Key) + ": "
	c := Channel{Name: f.Key, Pos: f.Pos, Mode: ModeFile}
	d.warnSimilarKeys(f.Value, prefix, channelKeys())
	if v, ok := d.optionalString(f.Value, "TrainingInputMode", prefix); ok {
		c.Mode = Mode(d.matchWord(v, prefix+"TrainingInputMode", d.fail, modes()...))
	}
	// The other keys only describe the data: a job can run with an unknown word.
	if v, ok := d.optionalString(f.Value, "S3DistributionType", prefix); ok {
		c.Distribution = d.matchWord(v, prefix+"S3DistributionType", d.warn, "FullyReplicated", "ShardedByS3Key")
	}
	if v, ok := d.optionalString(f.Value, "RecordWrapperType", prefix); ok {
		c.Wrapper = d.matchWord(v, prefix+"RecordWrapperType", d.warn, "None", "RecordIO")
	}
	if v, ok := d.optionalString(f.Value, "ContentType", prefix); ok {
		c.ContentType = v.Text
		if len(v.Text) > maxContentType {
			d.warn(v.Pos, "", "%sContentType has %d bytes, the platform takes at most %d",
				prefix, len(v.Text), maxContentType)
		}
	}
	return c
}

// modes lists the words of TrainingInputMode.
func modes() []string { return []string{string(ModeFile), string(ModeFastFile), string(ModePipe)} }

// matchWord returns the allowed word that v holds. It warns of capitals that differ: clients of the platform
// accept them. For any other word it calls unknown, which is d.fail or d.warn, and returns the text of v.
func (d *document) matchWord(
	v hparams.Value, what string, unknown func(int, string, string, ...any), allowed ...string,
) string {
	if slices.Contains(allowed, v.Text) {
		return v.Text
	}
	for _, word := range allowed {
		if strings.EqualFold(word, v.Text) {
			d.warn(v.Pos, "", "%s is %s, expected it spelled %q", what, hparams.Quote(v.Text), word)
			return word
		}
	}
	unknown(v.Pos, "", "%s is %s, expected %s", what, hparams.Quote(v.Text), strings.Join(allowed, ", "))
	return v.Text
}

// DataDir returns the directory that holds the channels.
func (j *Job) DataDir() string { return path.Join(j.Root, "input/data") }

// ChannelPath returns the directory of a File or FastFile channel. For a Pipe channel it is the start of the
// FIFOs' paths: PATH_0, PATH_1 and so on.
func (j *Job) ChannelPath(c Channel) string { return path.Join(j.DataDir(), c.Name) }

// CheckData returns a problem for each channel whose data a trainer cannot read. A File or FastFile channel
// needs a readable directory. A Pipe channel needs nothing yet, because the platform makes its FIFOs later.
func CheckData(j *Job, s *Snapshot) []Problem {
	var problems []Problem
	d := configDocument(s, InputDataFile, &problems)
	unreadable := unreadableFIFOs(j, s)
	for _, c := range j.Channels {
		checkChannel(d, j, s, c, unreadable)
	}
	checkNameClashes(d, j)
	return problems
}

// CheckChannel is CheckData for one channel.
func CheckChannel(j *Job, s *Snapshot, c Channel) []Problem {
	var problems []Problem
	checkChannel(configDocument(s, InputDataFile, &problems), j, s, c, unreadableFIFOs(j, s))
	return problems
}

func checkChannel(d *document, j *Job, s *Snapshot, c Channel, unreadable map[string][]string) {
	if c.Mode == ModePipe {
		checkFIFO(d, j, c, s, unreadable)
	} else {
		checkDir(d, j, c, s.Data)
	}
}

func checkDir(d *document, j *Job, c Channel, data map[string]Entry) {
	entry, exists := data[c.Name]
	where := "channel " + hparams.Quote(c.Name) + ": " + j.ChannelPath(c)
	switch {
	case !exists:
		d.fail(c.Pos, hintForMissingDir(d, j, c, data),
			"%s is missing, expected a directory in %s mode", where, c.Mode)
	case entry.Problem != "":
		d.fail(c.Pos, "", "%s %s, expected a readable directory in %s mode", where, entry.Problem, c.Mode)
	case entry.Kind == KindFIFO:
		d.fail(c.Pos, "TrainingInputMode Pipe is for FIFOs",
			"%s is a FIFO, expected a directory in %s mode", where, c.Mode)
	case entry.Kind != KindDir:
		d.fail(c.Pos, hintForFile(j, c), "%s is not a directory, expected one in %s mode", where, c.Mode)
	case entry.Empty && c.Distribution == "ShardedByS3Key" && len(j.Hosts) > 1:
		const hint = "with fewer objects than hosts some hosts get none: " +
			"use FullyReplicated, or more and smaller objects"
		d.warn(c.Pos, hint, "%s is empty: ShardedByS3Key gave this host no object", where)
	case entry.Empty:
		d.warn(c.Pos, "", "%s is empty", where)
	}
}
