package contract

import "path"

// CodeDir returns the directory of Program, in which the program starts. It is the local directory that the
// hyperparameter sagemaker_submit_directory names. Without one, it is ROOT/code, or the directory of the
// channel "code", if that has files and ROOT/code does not have the program. An archive is unpacked into
// ROOT/code. The address file://DIR stands for ROOT/code too, where the SDK's local mode mounts DIR.
func (j *Job) CodeDir(s *Snapshot) string {
	own := j.Dir("code")
	submit, submits := j.Params.Get(submitParam)
	if submits && path.IsAbs(submit.Text) && !isArchive(submit.Text) {
		return submit.Text
	}
	channel, program := j.CodeChannel(s), j.Program(s)
	holds := func(dir string) bool { _, exists := s.Paths[path.Join(dir, program)]; return exists }
	if submits || channel == "" || program == "" || holds(own) {
		return own
	}
	if _, archived := s.Paths[j.archivePath()]; archived && !holds(channel) {
		return own
	}
	return channel
}

// CodeChannel returns the directory of the channel "code" if it has files. SDK v3 gives a job its code in
// this way, and any job can.
func (j *Job) CodeChannel(s *Snapshot) string {
	channel, exists := j.Channel(codeChannel)
	entry := s.Data[codeChannel]
	if !exists || channel.Mode == ModePipe || entry.Kind != KindDir || entry.Empty || entry.Problem != "" {
		return ""
	}
	return j.ChannelPath(channel)
}

// codeDirs returns the directories that CodeDir may return.
func (j *Job) codeDirs(s *Snapshot) []string {
	dirs := []string{j.CodeDir(s)} // before it is known what there is
	channel := j.CodeChannel(s)
	if _, submits := j.Params.Get(submitParam); !submits && channel != "" {
		dirs = []string{j.Dir("code"), channel}
	}
	return dirs
}
