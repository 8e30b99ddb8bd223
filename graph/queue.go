package graph

// queue pops nodes in the order in which they were added to the graph, whatever the
// order in which they are pushed: a binary heap.
type queue []int

func (q queue) len() int { return len(q) }

func (q *queue) push(node int) {
	h := append(*q, node)
	at := len(h) - 1
	for at > 0 && h[(at-1)/2] > node {
		h[at] = h[(at-1)/2]
		at = (at - 1) / 2
	}
	h[at] = node
	*q = h
}

// pop takes the first node; there must be one.
func (q *queue) pop() int {
	h := *q
	first, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	at := 0
	for child := 1; child < len(h); child = 2*at + 1 {
		if child+1 < len(h) && h[child+1] < h[child] {
			child++
		}
		if h[child] >= last {
			break
		}
		h[at] = h[child]
		at = child
	}
	if len(h) > 0 {
		h[at] = last
	}
	*q = h
	return first
}
