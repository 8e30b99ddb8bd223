package kube

import "net/http"

// HTTP is what the cluster is reached by.
func (c *Cluster) HTTP() *http.Client { return c.client.rest.Client }
