package plan

import "entrain/contract"

// Source is an archive with the job's code, which is unpacked before anything else is done.
//
// What the archive holds shows only then. The Plan with a Source has the command as far as names tell it. A
// second Plan, of a Snapshot that has the unpacked files, has no Source, and is the one that is carried out.
type Source struct {
	Archive string // its path
	Dir     string // where it is unpacked
	Limits  SourceLimits
}

// SourceLimits say how much an archive of code may hold.
type SourceLimits struct {
	MB    int // 2^20 bytes of all files together
	Files int // files, directories and links
	Ratio int // unpacked bytes for each byte of the archive
}

// decideSource says what must be unpacked for the job's own program.
func (p *Plan) decideSource(job *contract.Job, snap *contract.Snapshot, o Options) {
	if archive := job.IgnoredArchive(snap); archive != "" {
		p.Notes = append(p.Notes, job.Dir("code")+" has files of its own, so they are used, and "+archive+
			" is not unpacked")
	}
	if source := job.Source(snap); source != nil {
		p.Source = &Source{Archive: source.Archive, Dir: source.Dir, Limits: o.Source}
	}
}
