#compdef kplan
# Completion of kplan's command lines for zsh.

_kplan() {
  local line
  local -a plain plainText open openText
  while IFS= read -r line; do
    local word="${line%%$'\t'*}" text="${line/$'\t'/  -- }"
    if [[ $word == *= ]]; then
      open+=("$word") openText+=("$text")
    else
      plain+=("$word") plainText+=("$text")
    fi
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${#plain} + ${#open} == 0 )); then
    _files
    return
  fi
  compadd -l -d plainText -a plain
  compadd -l -S '' -d openText -a open
}

compdef _kplan kplan
