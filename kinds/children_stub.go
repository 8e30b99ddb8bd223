package kinds

type children struct{}
