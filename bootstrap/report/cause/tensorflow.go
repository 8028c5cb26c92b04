package cause

import "strings"

// graphErrorEnd is the end of the first line of an error that TensorFlow met in a graph.
const graphErrorEnd = "Graph execution error:"

// graphError returns the text of such an error with its reason, and the number of the reason's line.
// TensorFlow prints the places in the program first, then the reason, then the nodes of the graph.
func (p *process) graphError(first int, text string) (string, int) {
	const most = 400 // lines
	for i := first + 2; i < min(first+most, len(p.lines)); i++ {
		if strings.HasPrefix(strings.TrimLeft(p.lines[i].text, " \t"), "[[{{node ") {
			return text + " " + p.lines[i-1].text, i
		}
	}
	return text, first
}
