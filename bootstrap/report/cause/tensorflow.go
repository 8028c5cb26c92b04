package cause

import "strings"

// graphError is how TensorFlow ends the first line of an error in a graph.
const graphError = "Graph execution error:"

// graph is such an error with its reason, which stands below the places in the program, in front of the first node.
func (p *process) graph(first int, text string) (string, int) {
	const most = 400 // lines
	for i := first + 2; i < min(first+most, len(p.lines)); i++ {
		if strings.HasPrefix(strings.TrimLeft(p.lines[i].text, " \t"), "[[{{node ") {
			return text + " " + p.lines[i-1].text, i
		}
	}
	return text, first
}
