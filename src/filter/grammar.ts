import { EmbeddedActionsParser, type ILexingError, type IToken, Lexer } from "chevrotain";
import { FilterError } from "./errors.ts";
import { characterProblem, isEnd, syntaxProblem } from "./problems.ts";
import { type Operand, TermMaker } from "./terms.ts";
import {
  AddressWord,
  And,
  AnyValue,
  BareWord,
  Close,
  Comparator,
  EndWord,
  NumberWord,
  Not,
  Open,
  Or,
  Plain,
  PortWord,
  TOKENS,
  ValueWord,
} from "./tokens.ts";
import type { FilterExpression } from "./types.ts";

/** What a test of addresses or ports says, without the word for the end before it. */
interface Place {
  keyword: IToken;
  operand: Operand;
}

function joined(kind: "and" | "or", terms: FilterExpression[]): FilterExpression {
  const [first] = terms;
  return first !== undefined && terms.length === 1 ? first : { kind, terms };
}

/** The grammar of docs/filter.md. What stands in ACTION is not run while the library looks at the grammar. */
export class FilterParser extends EmbeddedActionsParser {
  private make = new TermMaker("");

  /** `isChecked`: whether the library looks for mistakes in the grammar, which takes longer than all the rest. */
  constructor(isChecked = false) {
    super(TOKENS, { maxLookahead: 1, skipValidations: !isChecked });
    this.performSelfAnalysis();
  }

  /** The tree of a text. @throws FilterError */
  parse(text: string, tokens: IToken[]): FilterExpression {
    this.make = new TermMaker(text);
    this.input = tokens;
    const expression = this.either();
    const [error] = this.errors;
    if (error === undefined) return expression;
    const problem = syntaxProblem(error, this.make.field);
    if (isEnd(error.token)) throw new FilterError(problem, text.trimEnd().length, 0, text);
    return this.make.fail(problem, error.token);
  }

  private readonly either = this.RULE("either", (): FilterExpression => {
    const terms: FilterExpression[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: Or, DEF: () => void terms.push(this.SUBRULE(this.all)) });
    return joined("or", terms);
  });

  private readonly all = this.RULE("all", (): FilterExpression => {
    const terms: FilterExpression[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: And, DEF: () => void terms.push(this.SUBRULE(this.term)) });
    return joined("and", terms);
  });

  private readonly term = this.RULE(
    "term",
    (): FilterExpression =>
      this.OR([
        { ALT: () => this.SUBRULE(this.negation) },
        { ALT: () => this.SUBRULE(this.group) },
        { ALT: () => this.SUBRULE(this.endpoint) },
        { ALT: () => this.SUBRULE(this.bare) },
        { ALT: () => this.SUBRULE(this.property) },
        { ALT: () => this.SUBRULE(this.amount) },
        { ALT: () => this.SUBRULE(this.repeated) },
      ]),
  );

  private readonly negation = this.RULE("negation", (): FilterExpression => {
    const token = this.CONSUME(Not);
    this.ACTION(() => this.make.enter(token));
    const term = this.SUBRULE(this.term);
    this.ACTION(() => this.make.leave());
    return { kind: "not", term };
  });

  private readonly group = this.RULE("group", (): FilterExpression => {
    const token = this.CONSUME(Open);
    this.ACTION(() => this.make.enter(token));
    const expression = this.SUBRULE(this.either);
    this.CONSUME(Close);
    this.ACTION(() => this.make.leave());
    return expression;
  });

  private readonly endpoint = this.RULE(
    "endpoint",
    (): FilterExpression =>
      this.OR([
        { ALT: () => this.SUBRULE(this.sided) },
        {
          ALT: () => {
            const { keyword, operand } = this.SUBRULE(this.place);
            return this.ACTION(() => this.make.terms(keyword, keyword, operand));
          },
        },
      ]),
  );

  private readonly sided = this.RULE("sided", (): FilterExpression => {
    const word = this.CONSUME(EndWord);
    return this.OR([
      {
        ALT: () => {
          const { keyword, operand } = this.SUBRULE(this.place);
          return this.ACTION(() => this.make.terms(word, keyword, operand));
        },
      },
      {
        ALT: () => {
          const values = [this.CONSUME(Plain)];
          return this.ACTION(() => this.make.terms(word, word, { values }));
        },
      },
    ]);
  });

  private readonly place = this.RULE("place", (): Place => {
    const keyword = this.OR([
      { ALT: () => this.CONSUME(AddressWord) },
      { ALT: () => this.CONSUME(PortWord) },
    ]);
    this.ACTION(() => this.make.expect(keyword));
    return { keyword, operand: this.SUBRULE(this.operand) };
  });

  private readonly operand = this.RULE("operand", (): Operand => {
    const operator = this.OPTION(() => this.CONSUME(Comparator));
    const values = this.OR([
      { ALT: () => [this.SUBRULE(this.value)] },
      { ALT: () => this.SUBRULE(this.list) },
    ]);
    return { operator, values };
  });

  private readonly list = this.RULE("list", (): IToken[] => {
    const values: IToken[] = [];
    this.CONSUME(Open);
    this.AT_LEAST_ONE_SEP({ SEP: Or, DEF: () => void values.push(this.SUBRULE(this.value)) });
    this.CONSUME(Close);
    return values;
  });

  private readonly value = this.RULE("value", (): IToken => this.CONSUME(AnyValue));

  private readonly bare = this.RULE("bare", (): FilterExpression => {
    const token = this.CONSUME(BareWord);
    const test = this.ACTION(() => this.make.bare(token));
    // As in `tcp port 80`.
    const more = this.OPTION(() => this.SUBRULE(this.endpoint));
    return more === undefined ? test : { kind: "and", terms: [test, more] };
  });

  private readonly property = this.RULE("property", (): FilterExpression => {
    const keyword = this.CONSUME(ValueWord);
    this.ACTION(() => this.make.expect(keyword));
    const operand = this.SUBRULE(this.operand);
    return this.ACTION(() => this.make.terms(keyword, keyword, operand));
  });

  private readonly amount = this.RULE("amount", (): FilterExpression => {
    const keyword = this.CONSUME(NumberWord);
    this.ACTION(() => this.make.expect(keyword));
    const operator = this.CONSUME(Comparator);
    const values = [this.SUBRULE(this.value)];
    return this.ACTION(() => this.make.terms(keyword, keyword, { operator, values }));
  });

  private readonly repeated = this.RULE("repeated", (): FilterExpression => {
    const token = this.CONSUME(Plain);
    return this.ACTION(() => {
      const next = this.LA(1);
      const isLast = isEnd(next) || [And, Or, Close].includes(next.tokenType);
      return this.make.repeated(token, isLast);
    });
  });
}

const lexer = new Lexer(TOKENS, { positionTracking: "onlyOffset", skipValidations: true });
const parser = new FilterParser();

function lexingProblem(text: string, { offset }: ILexingError): FilterError {
  const character = String.fromCodePoint(text.codePointAt(offset) ?? 0);
  const length = character === '"' ? text.length - offset : character.length;
  return new FilterError(characterProblem(character), offset, length, text);
}

/** The words of a text; `isWhole` is false where some of it is none. */
export function tokenize(text: string): { tokens: IToken[]; isWhole: boolean } {
  const { tokens, errors } = lexer.tokenize(text);
  return { tokens, isWhole: errors.length === 0 };
}

/** The tree of a text that is not blank. @throws FilterError */
export function parse(text: string): FilterExpression {
  const { tokens, errors } = lexer.tokenize(text);
  const [error] = errors;
  if (error === undefined) return parser.parse(text, tokens);
  throw lexingProblem(text, error);
}
