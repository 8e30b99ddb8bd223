package kube

import "net/http"

// HTTP is what the cluster is reached by.
func (c *Cluster) HTTP() *http.Client { return c.client.rest.Client }

// Refresh forgets what the server serves.
func (c *Cluster) Refresh() {
	c.catalog.mu.Lock()
	defer c.catalog.mu.Unlock()
	c.catalog.served = nil
}
