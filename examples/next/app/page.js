export default function Home() {
  return "An app.";
}
