import { render } from "preact";
import { App } from "./app.tsx";
import { AgentClient } from "./data/client.ts";
import { Settings } from "./state/settings.ts";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/controls.css";
import "./styles/cards.css";
import "./styles/tables.css";
import "./styles/phone.css";

const settings = new Settings();
const client = new AgentClient(settings);
const root = document.querySelector("#page");
if (root !== null) render(<App client={client} settings={settings} />, root);
