import { Component, type ComponentChildren } from "preact";

interface BoundaryProps {
  children: ComponentChildren;
}

/** Keeps a mistake in one screen from taking the page away: an agent made new meanwhile may answer otherwise. */
export class Boundary extends Component<BoundaryProps, { message: string | null }> {
  override state = { message: null };

  static override getDerivedStateFromError(error: unknown): { message: string } {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    if (this.state.message === null) return this.props.children;
    return (
      <div class="notice" data-mood="bad" role="alert">
        <strong>This screen could not be drawn.</strong>
        <span>The agent may have been upgraded since the page was loaded: reload the page.</span>
        <span>{this.state.message}</span>
      </div>
    );
  }
}
