package contract

import (
	"path"
	"slices"
	"strings"

	"entrain/hparams"
)

// Mode is how the data of a channel arrives.
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
	Mode         Mode   // File where the file does not say
	ContentType  string // empty where unset
	Distribution string // FullyReplicated or ShardedByS3Key; empty where unset
	Wrapper      string // None or RecordIO; empty where unset
	Pos          int    // of the name in inputdataconfig.json, in bytes
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
		d.fail(doc.Fields[maxChannels].Pos, "", "%d channels, the platform takes at most %d", n, maxChannels)
	}
	for _, f := range doc.Fields {
		if !isName(f.Key, ".-_") || len(f.Key) > maxChannelName || f.Key == "." || f.Key == ".." {
			d.fail(f.Pos, "", "channel name %s, expected 1 to %d of letters, digits and . - _", hparams.Quote(f.Key), maxChannelName)
			continue
		}
		if f.Value.Kind == hparams.Null || d.kind(f.Value, hparams.Object, "channel "+hparams.Quote(f.Key)) {
			job.Channels = append(job.Channels, loadChannel(d, f))
		}
	}
}

// ChannelNames peeks at inputdataconfig.json before it is checked.
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
	in := "channel " + hparams.Quote(f.Key) + ": "
	c := Channel{Name: f.Key, Pos: f.Pos, Mode: ModeFile}
	if v, ok := d.str(f.Value, "TrainingInputMode", in); ok {
		c.Mode = Mode(d.oneOf(v, in+"TrainingInputMode", d.fail, string(ModeFile), string(ModeFastFile), string(ModePipe)))
	}
	// What follows only describes the data: an unknown word does not keep a job from running.
	if v, ok := d.str(f.Value, "S3DistributionType", in); ok {
		c.Distribution = d.oneOf(v, in+"S3DistributionType", d.warn, "FullyReplicated", "ShardedByS3Key")
	}
	if v, ok := d.str(f.Value, "RecordWrapperType", in); ok {
		c.Wrapper = d.oneOf(v, in+"RecordWrapperType", d.warn, "None", "RecordIO")
	}
	if v, ok := d.str(f.Value, "ContentType", in); ok {
		c.ContentType = v.Text
		if len(v.Text) > maxContentType {
			d.warn(v.Pos, "", "%sContentType has %d bytes, the platform takes at most %d", in, len(v.Text), maxContentType)
		}
	}
	return c
}

// oneOf is the allowed word that v is; another spelling of it, which clients of the platform accept, is a warning.
func (d *document) oneOf(v hparams.Value, path string, unknown func(int, string, string, ...any), allowed ...string) string {
	if slices.Contains(allowed, v.Text) {
		return v.Text
	}
	for _, word := range allowed {
		if strings.EqualFold(word, v.Text) {
			d.warn(v.Pos, "", "%s is %s, expected it spelled %q", path, hparams.Quote(v.Text), word)
			return word
		}
	}
	unknown(v.Pos, "", "%s is %s, expected %s", path, hparams.Quote(v.Text), strings.Join(allowed, ", "))
	return v.Text
}

// DataDir is where the channels are.
func (j *Job) DataDir() string { return path.Join(j.Root, "input/data") }

// ChannelPath is the directory of a File or FastFile channel, and the prefix of a Pipe channel's FIFOs.
func (j *Job) ChannelPath(c Channel) string { return path.Join(j.DataDir(), c.Name) }

// CheckData says which channels have no data where a trainer would look for it: for File and FastFile a
// directory that can be read, FastFile's being read-only. A Pipe channel needs none: its FIFOs come and go.
func CheckData(j *Job, s *Snapshot) []Problem {
	var problems []Problem
	d := &document{file: InputDataFile, text: string(s.Files[InputDataFile].Data), problems: &problems}
	for _, c := range j.Channels {
		if c.Mode == ModePipe {
			checkFIFO(d, j, c, s.Data)
		} else {
			checkDir(d, j, c, s.Data)
		}
	}
	checkNames(d, j)
	return problems
}

func checkDir(d *document, j *Job, c Channel, data map[string]Entry) {
	entry, there := data[c.Name]
	where := "channel " + hparams.Quote(c.Name) + ": " + j.ChannelPath(c)
	switch {
	case !there:
		d.fail(c.Pos, whyMissing(j, c, data), "%s is missing, expected a directory in %s mode", where, c.Mode)
	case entry.Problem != "":
		d.fail(c.Pos, "", "%s %s, expected a readable directory in %s mode", where, entry.Problem, c.Mode)
	case entry.Kind == KindFIFO:
		d.fail(c.Pos, "TrainingInputMode Pipe is for FIFOs", "%s is a FIFO, expected a directory in %s mode", where, c.Mode)
	case entry.Kind != KindDir:
		d.fail(c.Pos, whyFile(j, c), "%s is not a directory, expected one in %s mode", where, c.Mode)
	case entry.Empty && c.Distribution == "ShardedByS3Key" && len(j.Hosts) > 1:
		d.warn(c.Pos, "with fewer objects than hosts some hosts get none: use FullyReplicated, or more and smaller objects",
			"%s is empty: ShardedByS3Key gave this host no object", where)
	case entry.Empty:
		d.warn(c.Pos, "", "%s is empty", where)
	}
}
