import { COMPLETE_COMMAND, type Shell } from "./completion-shells.ts";

// Bash splits words at = and : as well; here they are put together again, and what stands before the last is cut off.
const BASH = `# bash completion of ayaflow. In ~/.bashrc: source <(ayaflow completion bash)
_ayaflow() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() fragment='' i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    if ((i == 0)) || [[ $line == [[:space:]]* ]]; then
      line=\${line#"\${line%%[![:space:]]*}"}
      words+=('')
    fi
    fragment=\${COMP_WORDS[i]}
    ((i == COMP_CWORD)) && fragment=$line
    words[\${#words[@]}-1]+=$fragment
    line=\${line#"$fragment"}
  done
  local last=$((\${#words[@]} - 1)) quoted=''
  local current=\${words[last]}
  [[ $current == [\\"\\']* ]] && quoted=1
  [[ $fragment == [=:] ]] && fragment=''
  local prefix=\${current%"$fragment"}
  for ((i = 1; i <= last; i++)); do words[i]=\${words[i]//[\\\\\\"\\']/}; done

  local found
  mapfile -t found < <("\${words[0]}" ${COMPLETE_COMMAND} -- "\${words[@]:1}" 2>/dev/null)
  COMPREPLY=()
  if [[ \${found[0]} == files ]]; then
    [[ $current == --*=* ]] && current=\${current#*=}
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi
  local candidate
  for candidate in "\${found[@]:1}"; do
    candidate=\${candidate%%$'\\t'*}
    if [[ -z $quoted ]]; then
      candidate=\${candidate#"$prefix"}
      [[ $candidate == *[^A-Za-z0-9_./:=,@%+-]* ]] && printf -v candidate %q "$candidate"
    fi
    COMPREPLY+=("$candidate")
  done
}
complete -F _ayaflow ayaflow
`;

const ZSH = `#compdef ayaflow
# zsh completion of ayaflow. As _ayaflow in a folder of $fpath, or in ~/.zshrc: source <(ayaflow completion zsh)
_ayaflow() {
  local -a found values shown
  found=("\${(@f)$("\${words[1]}" ${COMPLETE_COMMAND} -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  if [[ \${found[1]} == files ]]; then
    compset -P '--*='
    _files
    return
  fi
  local line
  for line in "\${(@)found[2,-1]}"; do
    values+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done
  (( \${#values} )) && compadd -l -d shown -a values
}
if [[ \${funcstack[1]} == _ayaflow ]]; then
  _ayaflow "$@"
else
  compdef _ayaflow ayaflow
fi
`;

const FISH = `# fish completion of ayaflow. As ~/.config/fish/completions/ayaflow.fish, or: ayaflow completion fish | source
function __ayaflow_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] ${COMPLETE_COMMAND} -- $words[2..-1] "$current" 2>/dev/null)
    if test "$found[1]" = files
        __fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current")
    else
        printf '%s\\n' $found[2..-1]
    end
end
complete -c ayaflow -f -a '(__ayaflow_complete)'
`;

/** The script that completes the command line in a shell. */
export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
