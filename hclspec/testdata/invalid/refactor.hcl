resource "ConfigMap" "a" {
  metadata { name = "a" }
}
import { to = ConfigMap.a }
import { to = ConfigMap.a }
#^^^^^ Duplicate import: ConfigMap.a is imported at main.kplan.hcl:4,1-7 already. Remove one of the two blocks.
---
moved {
  from = ConfigMap.b
  to   = ConfigMap.c
}
moved {
#^^^^ Ambiguous move: ConfigMap.b is moved to ConfigMap.c already, at main.kplan.hcl:8,1-6.
  from = ConfigMap.b
  to   = ConfigMap.d
}
---
moved {
  from = ConfigMap.x
  to   = ConfigMap.y
}
moved {
  from = ConfigMap.y
  to   = ConfigMap.z
}
moved {
#^^^^ Moves in a circle: The moved blocks lead from ConfigMap.z back to it, so no address is the last. Remove one of them.
  from = ConfigMap.z
  to   = ConfigMap.x
}
---
removed { from = ConfigMap.z }
removed { from = ConfigMap.z }
#^^^^^^ Duplicate removed block: There is a block for ConfigMap.z at main.kplan.hcl:32,1-8 already. Remove one of the two.
